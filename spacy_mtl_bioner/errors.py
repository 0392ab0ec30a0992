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
E008 = Coded(
    "MTL008",
    "{path}: not a catalogue ({reason}). It is a JSON object; see spacy_mtl_bioner/corpora/catalogue.json.",
)
E009 = Coded("MTL009", "{path}: corpus {corpus!r}, field {field!r}: {reason}.")
E010 = Coded("MTL010", "unknown corpus {corpus!r}; the catalogue has: {known}. Add yours with --catalogue FILE.json.")
E011 = Coded("MTL011", "{path}: missing; corpus {corpus!r} has its {split} split there. Check SOURCE.")
E012 = Coded(
    "MTL012",
    "{path}:{line}: document {document!r}: mention {mention} starts or ends inside a word of {words}. Use another "
    "tokenizer (--pipeline), or --on-error skip.",
)
E013 = Coded("MTL013", "{path}: document {document!r}: no words in its text. Remove it, or use --on-error skip.")
E014 = Coded(
    "MTL014",
    "corpus {corpus!r}, document {document!r}: the entity {mention!r} crosses the end of a sentence.",
)
E015 = Coded("MTL015", "corpus {corpus!r} has no label {label!r}; it has: {known}.")
E016 = Coded("MTL016", "{path}: not a DocBin ({reason}). Convert the corpus again.")
E017 = Coded("MTL017", "{option} is {found!r}; expected {expected}.")
E018 = Coded(
    "MTL018",
    "{path}:{line}: document {document!r}: mention {mention} has the unknown label {label!r}; the catalogue has: "
    "{known}. Add it there to 'labels' or 'renames'.",
)
E019 = Coded("MTL019", "corpus {corpus!r} is {found}; {option} needs {expected}.")
E025 = Coded("MTL025", "{path}: not a sound gzip file ({reason}). Unpack it with care, or fetch it again.")
E026 = Coded("MTL026", "{where}: the character {found} is half of a surrogate pair, which no text can hold. Remove it.")
E027 = Coded(
    "MTL027",
    "{where}: offsets {start} to {end} are empty or outside the text ({length} characters). Correct the offsets.",
)
E028 = Coded(
    "MTL028",
    "{where}: document {document!r} stands in the file already (line {line}), with other {what}. Give it another id.",
)
E029 = Coded("MTL029", "{where}: mention {mention} overlaps {other}; they may not share characters. Keep one of them.")
E030 = Coded("MTL030", "{where}: mention {mention} has {parts} separate parts; expected one span. Keep one part.")
E031 = Coded(
    "MTL031",
    "{where}: {columns} column(s) in {text!r}; a PubTator mention has 6, separated by tabs: document, start, end, "
    "text, type, identifier ('-' where there is none); a relation has 4.",
)
E032 = Coded(
    "MTL032",
    "{where}: no {missing} line; a PubTator document starts with 'ID|t|TITLE' and, in the next line, 'ID|a|ABSTRACT'.",
)
E033 = Coded("MTL033", "{where}: not well-formed {format} ({reason}). Correct the file, or fetch it again.")
E034 = Coded("MTL034", "{where}: found {found}; expected {expected}.")
E035 = Coded("MTL035", "{path}: the XML declares the entity {name!r}; entities are refused. Remove them.")
E036 = Coded("MTL036", "{path}: its counterpart {other} is missing; expected NAME.txt and NAME.ann side by side.")
E037 = Coded("MTL037", "{path}: unknown format {format!r}; expected one of {expected}. Say it in the catalogue's field 'format'.")
E038 = Coded("MTL038", "{path}: BioC needs the libraries bioc and lxml: pip install 'spacy_mtl_bioner[bioc]'.")

# Component and model: 100-139 ------------------------------------------------------------------
E100 = Coded("MTL100", "unknown corpus {corpus!r} in {where}; this model knows: {known}.")
E101 = Coded("MTL101", "the component {name!r} has no corpora yet: initialize it with examples or labels first.")
E102 = Coded("MTL102", "no corpus can be called {corpus!r}: {score} is the score of all corpora. Give it another name.")
E104 = Coded("MTL104", "{where}: {found!r} does not name corpora; expected a list of names, or null for all of them.")
E105 = Coded("MTL105", "{policy}: {setting} is {found!r}; expected {expected}.")

E110 = Coded(
    "MTL110",
    "{found} half surrogate pair(s) in a text of {length} characters were replaced by U+FFFD: they are no Unicode "
    "text. Read the text with its right encoding.",
)
E111 = Coded(
    "MTL111",
    "{path}:{line}: no place for the sentence {text!r} in the documents ({where}). "
    "Check that these are the texts of this corpus.",
)
E112 = Coded(
    "MTL112",
    "{path}:{line}: the corpus ends with this sentence, in the middle of document {document}. Check that the file "
    "is whole.",
)
E113 = Coded(
    "MTL113",
    "line {line}: the word {word!r} was split into {parts!r}, which is not the word. A splitter may only cut words "
    "apart.",
)
E114 = Coded(
    "MTL114",
    "{path}:{line}: document {document} has white space within the word {word!r}, at character {offset}. "
    "Words are stretches of the text: correct the word, or the text.",
)

E121 = Coded(
    "MTL121",
    "{name}: add_label({label!r}) needs corpus=, because the component does not have just one (it has: {known}).",
)
E122 = Coded(
    "MTL122",
    "corpus {corpus!r} with label {label!r} has no head; known are {known}. Initialize with labels that hold it, or "
    "call add_label before training.",
)
E123 = Coded(
    "MTL123",
    "corpus {corpus!r}: {lost} of {total} entities start or end within a token of the pipeline's tokenizer, and are "
    "learned as Outside. Use gold tokens (gold_tokens = true in the reader), or convert with --retokenize.",
)
E130 = Coded("MTL130", "the layer {layer} has no weights yet. Initialize the pipeline, or load a trained one.")
E131 = Coded(
    "MTL131",
    "WordVectors needs a table with one row a word; found {found}. Use spacy init vectors --mode default.",
)
E132 = Coded("MTL132", "a head cannot decode the tag scheme {scheme!r}; expected IOB2 or IOBES.")
E133 = Coded("MTL133", "unknown precision {precision!r} of MultiTaskNER; expected one of {expected}.")
E134 = Coded(
    "MTL134",
    "MultiTaskNER has no tok2vec, and embed is null or holds Upstream, which reads it. Give one of them.",
)

# Training: 140-169 -----------------------------------------------------------------------------
E140 = Coded(
    "MTL140",
    "MultiCorpus: no path for {missing}. Give paths: a table of corpus name to .spacy file or folder.",
)
E141 = Coded("MTL141", "corpus {corpus!r}: {path} does not exist. Convert the corpus first, or correct the path.")
E142 = Coded("MTL142", "corpus {corpus!r}: no .spacy file in the folder {path}. Convert the corpus first.")
E143 = Coded("MTL143", "corpus {corpus!r}: {path} is not a DocBin ({reason}). Convert the corpus again.")
E144 = Coded("MTL144", "corpus {corpus!r}: {path} holds {found}; expected documents with entities or tags (TAG).")
E145 = Coded(
    "MTL145",
    "corpus {corpus!r}: {count} sentence(s) of more than max_length = {max_length} tokens were cut in pieces. "
    "Raise max_length, or set it to 0.",
)
E146 = Coded("MTL146", "corpus {corpus!r}: {count} document(s) without tokens were left out; see keep_empty.")
E147 = Coded("MTL147", "{part}: {setting} is {found!r}; expected {expected}.")
E148 = Coded(
    "MTL148",
    "CorpusBatches got an example of no corpus (Doc._.corpus is not set): {text!r}. "
    "Read the training corpora with spacy_mtl_bioner.MultiCorpus.v1.",
)
E149 = Coded("MTL149", "{part}: {setting} names the corpus {corpus!r}, but the training data has: {known}.")
E150 = Coded(
    "MTL150",
    "corpus {corpus!r}: the inner batcher left out {count} of {total} example(s). "
    "Set discard_oversize = false, or a larger size.",
)
E151 = Coded("MTL151", "{path}: cannot write the training log ({reason}). Check the path and its permissions.")

# Workflow and packaging: 170-199 -----------------------------------------------------------------
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
