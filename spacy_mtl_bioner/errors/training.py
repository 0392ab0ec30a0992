"""Messages about training: MTL140 to MTL169 and MTL250 to MTL279."""

from .coded import Coded

E140 = Coded(
    "MTL140",
    "MultiCorpus: no path for {missing}. Give paths: a table of corpus name to .spacy file or folder.",
)
E141 = Coded(
    "MTL141",
    "corpus {corpus!r}: {path} does not exist. Convert the corpus first, and name the folder of converted corpora, as "
    "in --paths.corpora corpus.",
)
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
E250 = Coded(
    "MTL250",
    "{folder} has no checkpoint to go on from. Start the training without --resume, or correct --output.",
)
E251 = Coded("MTL251", "{folder}: this training ended at step {step}; there is nothing to resume.")
E252 = Coded(
    "MTL252",
    "{folder} holds a training that was interrupted after step {step}. Go on with it (--resume), or start anew and "
    "lose it (--overwrite).",
)
E253 = Coded(
    "MTL253",
    "{folder}: the config is not that of the checkpoint. {differences}. Resume with the settings of then, or train "
    "into another folder.",
)
E254 = Coded(
    "MTL254",
    "{folder}: the {split} corpus is not that of the checkpoint ({found} examples, then {expected}{how}). "
    "Resume with the corpora of then, or train into another folder.",
)
E255 = Coded(
    "MTL255",
    "cannot save the state of the optimizer: no component of the pipeline ({pipes}) has its parameter {key}. "
    "Train this pipeline with spacy train.",
)
E256 = Coded(
    "MTL256",
    "{folder}: the checkpoint cannot be read ({reason}). Start anew (--overwrite).",
)
E257 = Coded(
    "MTL257",
    "{folder}: cannot be written ({reason}). What was there before is kept; make room, or correct the path and its "
    "permissions.",
)
E258 = Coded(
    "MTL258",
    "{source}: its component {component!r} has no network of the auxiliary corpus {corpus!r} to take ({reason}). "
    "Train {corpus!r} alone with SingleTask, in the embedding, encoder and decoder that this config has.",
)
E259 = Coded(
    "MTL259",
    "adopt_auxiliary: the component {component!r} shares by {sharing!r}; expected the sharing part Dependent.",
)
E260 = Coded(
    "MTL260",
    "[training.score_weights] has {unknown}; expected names of scores that the evaluation gives: {known}.",
)
