"""Every message a user can meet, each under a stable code."""


class Coded:
    """A message template with a code; ``Coded.format`` fills in what was found."""

    def __init__(self, code: str, template: str) -> None:
        self.code = code
        self.template = template

    def __call__(self, **found: object) -> str:
        """Return ``[MTLnnn] message`` with the placeholders of the template filled in."""
        return f"[{self.code}] {self.template.format(**found)}"


class MTLError(ValueError):
    """A coded error of this package: ``str(error)`` starts with ``[MTLnnn]``."""


# Corpora in: 001-039 -------------------------------------------------------------------------
E001 = Coded("MTL001", "{path}: cannot read the file ({reason}). Check the path and its permissions.")
E002 = Coded("MTL002", "{path}:{line}: bytes that are not UTF-8 ({reason}). Convert the file to UTF-8.")
E003 = Coded("MTL003", "{path}: no sentence or document found; expected {expected}.")
E004 = Coded(
    "MTL004",
    "{path}:{line}: {columns} column(s) in {text!r}; expected at least {expected}, separated by {separator}.",
)
E005 = Coded("MTL005", "{path}:{line}: unknown tag {tag!r}; expected {expected}. Check --scheme or the catalogue.")
E006 = Coded(
    "MTL006",
    "{path}:{line}: tag {tag!r} cannot follow {previous!r} under {scheme}. Check --scheme, or correct the file.",
)
E007 = Coded("MTL007", "unknown tag scheme {scheme!r}; expected one of {expected}.")

# Component and model: 100-139 ------------------------------------------------------------------
E100 = Coded("MTL100", "unknown corpus {corpus!r} in {where}; this model knows: {known}.")
E101 = Coded("MTL101", "the component {name!r} has no corpora yet: initialize it with examples or labels first.")

# Training: 140-169 -----------------------------------------------------------------------------

# Workflow and packaging: 170-199 -----------------------------------------------------------------
