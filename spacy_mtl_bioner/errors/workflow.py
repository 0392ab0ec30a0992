"""Messages about workflow and packaging: MTL170 to MTL199."""

from .coded import Coded

E170 = Coded(
    "MTL170",
    "{path}: no sha256 is recorded for it in source {source!r} of {manifest}. Check where it is from, then record it "
    "with --record.",
)
E171 = Coded(
    "MTL171",
    "{path}: sha256 {found} differs from the recorded {expected} (source {source!r}). Fetch the file again, or "
    "choose the --source it is from.",
)
E172 = Coded("MTL172", "{path}: recorded in source {source!r} of {manifest} but missing. Fetch the corpora again.")
E173 = Coded("MTL173", "{path}: no source {source!r}; it has {known}. Choose one, or add it with --record.")
E174 = Coded("MTL174", "{path}: {reason}; expected {expected}.")
E175 = Coded(
    "MTL175",
    "{path}:{line}: {found} in a row of word vectors; expected a word and {expected} finite numbers.",
)
E176 = Coded("MTL176", "{path}: holds pickled data in {members}; weights are stored as safetensors. Do not install it.")
E177 = Coded("MTL177", "{command} failed with exit code {code}: {output}")
E178 = Coded(
    "MTL178",
    "{name}: the installed package finds other entities than {model} in {text!r}: {found} instead of {expected}.",
)
E179 = Coded("MTL179", "{path}: {model} found no entity in these texts; give texts that hold some.")
E180 = Coded("MTL180", "{name}: {found}; expected {expected}. Build the wheels again and check their requirements.")
E181 = Coded(
    "MTL181",
    "the plot needs matplotlib: pip install 'spacy_mtl_bioner[plots]', or leave it out with --no-plot.",
)
E182 = Coded(
    "MTL182", "{path}: cannot be a folder to write to ({reason}). Choose another output, or correct its permissions."
)
E183 = Coded(
    "MTL183",
    "{path}:{line}: a tab in the row {found} of word vectors; a word and its numbers are separated by spaces. Replace "
    "the tabs by spaces.",
)
