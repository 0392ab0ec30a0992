"""Messages about training: MTL140 to MTL169 and MTL250 to MTL279."""

from .coded import Coded

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
