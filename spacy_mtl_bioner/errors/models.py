"""Messages about the component and its model: MTL100 to MTL139 and MTL200 to MTL249."""

from .coded import Coded

E100 = Coded("MTL100", "unknown corpus {corpus!r} in {where}; known are: {known}.")
E101 = Coded("MTL101", "the component {name!r} has no corpora yet: initialize it with examples or labels first.")
E102 = Coded("MTL102", "no corpus can be called {corpus!r}: {score} is the score of all corpora. Give it another name.")
E103 = Coded(
    "MTL103",
    "corpus {corpus!r} is of kind {old!r} here, but the examples give it gold of kind {new!r}. Give the new corpus "
    "another name, or initialize without extend, which starts afresh.",
)
E104 = Coded("MTL104", "{where}: {found!r} does not name corpora; expected a list of names, or null for all of them.")
E105 = Coded("MTL105", "{policy}: {setting} is {found!r}; expected {expected}.")
E106 = Coded(
    "MTL106",
    "corpus {corpus!r}: the {label} at characters {start} to {end} ({text!r}) does not start and end with tokens of "
    "the document. Give it the tokens with which the entities were found.",
)

E107 = Coded(
    "MTL107",
    "{name}: attr is {attr!r}, but no token of the document {text!r} has one. Add the component that sets it (a "
    "lemmatizer) to the pipeline before this one, or take ORTH or LOWER.",
)
E108 = Coded(
    "MTL108",
    "{name}: the entities have no scores, and count as 0 where minimum_score is {minimum}: nothing follows from them. "
    "Let mtl_ner compute scores (scores = true), or set minimum_score = 0.",
)
E109 = Coded(
    "MTL109",
    "the corpus {corpus!r} is to be scored, but was not learned; learned are: {known}. Take it out of what is "
    "evaluated ([corpora.dev.paths] in a training), or train on it; where another recognizer of the pipeline learned "
    "it, set own_corpus = false in the reader.",
)
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

E115 = Coded(
    "MTL115",
    "{name}: no mtl_ner stands before it in the pipeline, whose merge policy it would take: it merges by score. Add it "
    "behind mtl_ner, or give it a merge policy (merge).",
)
E116 = Coded(
    "MTL116",
    "corpus {corpus!r}: {count} document(s) are not scored, as the setting corpora ({selected}) leaves it out.",
)
E117 = Coded(
    "MTL117",
    "{name}: dropout {drop} ([training] dropout, or drop of an update) has no effect: embedding, encoder and decoder "
    "have rates of their own in the config. Set it to 0, and the parts' rates as you want them.",
)
E121 = Coded(
    "MTL121",
    "{name}: add_label({label!r}) needs corpus=, because the component has several: {known}.",
)
E122 = Coded(
    "MTL122",
    "corpus {corpus!r} with label {label!r} has no head; known are {known}. Initialize with labels that hold it, or "
    "call add_label before training; of which corpus an example is, example.reference._.corpus says.",
)
E123 = Coded(
    "MTL123",
    "corpus {corpus!r}: {lost} of {total} entities start or end within a token of the pipeline's tokenizer, and are "
    "learned as Outside. Use gold tokens (gold_tokens = true in the reader), or convert with --retokenize.",
)
E124 = Coded(
    "MTL124",
    "corpus {corpus!r}: {count} of {total} documents have tokens of which nobody said whether they are in an entity; "
    "these are learned as Outside. Annotate all tokens, or leave these documents out.",
)
E125 = Coded(
    "MTL125",
    "the norm of a step's gradients is {norm}: the step is left out, and no weight of this component moves. Once in a "
    "while this does no harm; if it goes on, lower the learning rate, or train in float32.",
)
E126 = Coded(
    "MTL126",
    "labels of corpus {corpus!r} are {found!r}; expected a list of labels, or for a corpus of tags, which has one "
    'at least, {{"kind": "tags", "labels": [...]}}.',
)
E127 = Coded(
    "MTL127",
    "corpus {corpus!r}: labels says that it is of kind {given!r}, but the examples give it gold of kind {found!r}. "
    "Give the labels as 'spacy init labels' writes them.",
)
E128 = Coded(
    "MTL128",
    "corpus {corpus!r}: no entity in its {count} documents, so that it gets a head of kind {kind!r}, and "
    "an F1 of 0 in mtl_macro_f. If it has entities, check its conversion, or give its labels (mtl-bioner convert "
    "reports how many there are).",
)
E129 = Coded(
    "MTL129",
    "corpus {corpus!r}: {count} of {total} documents have no gold of kind {kind!r}, and nothing is learned from them. "
    "For 'spans' say of every token whether it is in an entity, for 'tags' give each word its tag; or leave them out.",
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
E135 = Coded(
    "MTL135",
    "MultiTaskNER has a tok2vec that nothing reads: embed is another part (the component's default, unless the "
    "config says otherwise). Set embed = null, or add spacy_mtl_bioner.Upstream.v1 to it.",
)
E136 = Coded(
    "MTL136",
    "a training step could not be captured as a CUDA graph ({reason}); no further one is tried. Training goes on, more "
    "slowly. Where the GPU's memory is short, run fewer trainings on it at once.",
)
E137 = Coded(
    "MTL137",
    "WordVectors has trainable = false, but the pipeline has no vectors: every word would keep a random row. Give "
    "[initialize.vectors] (--paths.vectors) a table, as mtl-bioner vectors makes it, or set trainable = true.",
)
E138 = Coded(
    "MTL138",
    "the pipeline has no word vectors: every word starts from a random one. Where you have a table, give it as "
    "[initialize.vectors] (--paths.vectors); mtl-bioner vectors makes one.",
)
E200 = Coded("MTL200", "{part}: {setting} is {found!r}; expected {expected}.")
E201 = Coded(
    "MTL201",
    "CrossSharing: the partners of {corpus!r} are given as: {found}. Corpus and partners must be different corpora of "
    "this model; it has: {known}.",
)
E202 = Coded("MTL202", "PartlyShared: no part of the embedding is called {name!r}; they are: {known}.")
E203 = Coded(
    "MTL203",
    "MultiTaskNER: loss_weights gives {corpus!r} the weight {weight!r}; expected 0 or more of one of: {known}.",
)
E220 = Coded(
    "MTL220",
    "{layer}: left = {left}, right = {right}, widths = {widths} over a window of {window} tokens; expected contexts "
    "of 0 or more, and widths from 1 to the whole window.",
)
E221 = Coded(
    "MTL221",
    "Dependent: the auxiliary corpus {corpus!r} is not among the corpora to train: {known}. Add it to the paths of the "
    "training corpora, or name one of them.",
)
E222 = Coded("MTL222", "Dependent: auxiliary is empty; expected the name of the corpus that is learned first.")
E230 = Coded(
    "MTL230", "TaggedTransformer needs the library transformers: pip install 'spacy_mtl_bioner[transformers]'."
)
E231 = Coded(
    "MTL231",
    "the encoder {name!r} cannot be read ({reason}). Give a folder with config.json, a tokenizer and weights as "
    "model.safetensors (pickled weights are refused: convert them with save_pretrained), or a name on the Hugging Face "
    "hub; without a network it must be in the local cache.",
)
E232 = Coded("MTL232", "TaggedTransformer: unknown pooling {pooling!r}; expected one of {expected}.")
E233 = Coded(
    "MTL233",
    "the encoder {name!r} has the tokenizer {found}, which is not of the library tokenizers. Save a fast tokenizer "
    "(tokenizer.json) with it.",
)
E234 = Coded(
    "MTL234",
    "TaggedTransformer: a window of {window} pieces, {frame} of them special ones and marks, has no room for a word of "
    "{pieces} pieces. Raise window, or lower max_pieces.",
)
E235 = Coded(
    "MTL235",
    "the tokenizer of {name!r} lower-cases, but its vocabulary has upper case: text keeps its case. Set lowercase = "
    "true to lower-case all the same.",
)
E236 = Coded(
    "MTL236", "SharedHeads: the decoder {decoder!r} cannot be shared: it does not say which of its numbers are tags'."
)
E237 = Coded("MTL237", "SharedHeads needs features of one width for all corpora; found {widths}. Use a head a corpus.")
E239 = Coded(
    "MTL239",
    "the syntax part {syntax!r} needs features of one width for all corpora; found {widths}. Leave syntax out, or use "
    "another sharing part.",
)
