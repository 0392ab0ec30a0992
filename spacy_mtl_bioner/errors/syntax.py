"""Messages about syntactic features and what annotates them: MTL450 to MTL479."""

from .coded import Coded

E450 = Coded(
    "MTL450",
    "document {document}: its word {word!r} has no {what}, which the model's syntax part reads. Put a component that "
    "sets it ({component}) before mtl_ner; for training, compute it beforehand: mtl-bioner annotate-syntax writes it "
    "into the DocBins, and the reader's setting copy_attrs = {copied} hands it on.",
)
E451 = Coded(
    "MTL451",
    "{part} met no {what} in the training documents, so that it knows no label. Compute it beforehand with mtl-bioner "
    "annotate-syntax, set copy_attrs = {copied} in the reader, or list the part's labels.",
)
E453 = Coded(
    "MTL453",
    "{path}: its gold stands in Token.tag_ (kind tags), where {pipeline} would put parts of speech. Leave this corpus "
    "out, or use a pipeline without a tagger.",
)
E454 = Coded(
    "MTL454",
    "{pipeline} sets no part of speech, no parse and no phrase ({path}). Give a pipeline with a tagger, a parser or an "
    "mtl_ner with a corpus called chunks.",
)
E455 = Coded("MTL455", "{path}: no .spacy file; expected the folder that 'convert' wrote.")
E460 = Coded("MTL460", "{path}:{line}: {found} in the bracketed trees; expected {expected}.")
E461 = Coded("MTL461", "{path}:{line}: {found}; expected {expected} (CoNLL-U).")
E462 = Coded(
    "MTL462",
    "{path}:{line}: {found} where {other}:{other_line} has {expected}. Trees and dependencies must be of the "
    "same words.",
)
E463 = Coded("MTL463", "{path}: no treebank; expected a folder with a folder of .conllu (and .trees) files a treebank.")
E464 = Coded(
    "MTL464",
    "{path} and {other} would both be the split {split!r}. Give one of them another name with --rename FILE=SPLIT.",
)
