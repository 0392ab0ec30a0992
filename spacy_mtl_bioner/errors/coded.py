"""What a coded message and a coded error are."""


class Coded:
    """A message template with a code; called, it fills in what was found."""

    def __init__(self, code: str, template: str) -> None:
        self.code = code
        self.template = template

    def __call__(self, **found: object) -> str:
        """Return ``[MTLnnn] message`` with the placeholders of the template filled in."""
        return f"[{self.code}] {self.template.format(**found)}"


class MTLError(ValueError):
    """A coded error of this package: ``str(error)`` starts with ``[MTLnnn]``."""
