"""A Hugging Face encoder as an embedding, against the library itself."""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from thinc.api import Model
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.embed.tagged_transformer import TaggedTransformer
from spacy_mtl_bioner.models.marks import Marks

from .encoders import tiny_bert, tiny_roberta
from .parts import SENTENCES, batch_of, doc_of, lexicon_of

VOCAB = English().vocab
DOC = doc_of(VOCAB, *SENTENCES)
LONG = "the " + " ".join(f"gene {letter} causes cancer of mice" for letter in "abcdefghij")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("encoders") / "bert")


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    return tiny_roberta(tmp_path_factory.mktemp("encoders") / "roberta")


@pytest.fixture(params=["bert", "roberta"])
def folder(request):
    return request.getfixturevalue(request.param)


def part(folder, marks=(), **settings) -> Model:
    model, lexicon = TaggedTransformer(str(folder), **settings), lexicon_of(DOC)
    lexicon.marks = list(marks)
    return model.initialize(X=lexicon)


def vectors(model, *sentences, is_train=False):
    """f32[T,H] of each sentence, all in one batch."""
    batch = batch_of([doc_of(VOCAB, *sentences)])
    with torch.no_grad():
        found = run(model, batch, is_train)
    return [row[:length] for row, length in zip(found, batch.lengths.tolist())]


def expected(folder, words, pooling="first", encoder=None):
    """The library's own vectors of a sentence: f32[T,H]."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = (encoder or AutoModel.from_pretrained(folder)).eval()
    encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        hidden = encoder(**encoded)[0][0]
    owners = encoded.word_ids()
    rows = [[i for i, owner in enumerate(owners) if owner == word] for word in range(len(words))]
    return torch.stack([hidden[row[0]] if pooling == "first" else hidden[row].mean(0) for row in rows])


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_vectors_are_those_of_the_library(folder, pooling):
    model = part(folder, pooling=pooling)
    for sentence, found in zip(SENTENCES, vectors(model, *SENTENCES)):
        torch.testing.assert_close(found, expected(folder, sentence.split(), pooling), rtol=1e-4, atol=1e-5)


WORDS = ["BRCA1", "anti-TNF-α", "(p53)", "MyD88", "5'-ATG", "naïve", "β2", "…", "日本", "[SEP]x", "a" * 300, "I.V."]


def test_pieces_are_those_of_the_library(folder):
    module = shim_of(part(folder)).module
    encoded = AutoTokenizer.from_pretrained(folder)(WORDS, is_split_into_words=True, add_special_tokens=False)
    pieces = list(zip(encoded["input_ids"], encoded.word_ids()))
    by_word = [tuple(piece for piece, word in pieces if word == at) for at in range(len(WORDS))]
    ours = module.words.split(WORDS)
    for word, found, theirs in zip(WORDS, ours, by_word):
        if word != "[SEP]x":
            assert found == theirs[:64], word
    pieces = module.words(batch_of([doc_of(VOCAB, " ".join(WORDS), "BRCA1", " ".join(WORDS[::-1]))]))
    flat = [piece for word in [*ours, ours[0], *ours[::-1]] for piece in word]
    assert pieces.ids.tolist() == flat
    assert pieces.counts.tolist() == [len(word) for word in [*ours, ours[0], *ours[::-1]]]


def test_no_text_is_a_special_piece_and_no_word_is_without_one(folder):
    module = shim_of(part(folder, ["<disease>"])).module
    special = {module.specials["pad"], *module.specials["before"], *module.specials["after"]}
    vocabulary = module.words.tokenizer.get_vocab_size()
    for pieces in module.words.split(["[SEP]", "</s>", "<s>", "[CLS]", "<disease>"]):
        assert len(pieces) > 1 and not special & set(pieces) and max(pieces) < vocabulary
    blank = module.words.split(["\x07", "x", "\u200b\x00", ""])
    assert all(blank) and blank[3] == (module.specials["unknown"],)
    assert len(vectors(part(folder), "the \x07 gene")[0]) == 3


def test_the_cache_of_words_is_bounded(bert, monkeypatch):
    monkeypatch.setattr("spacy_mtl_bioner.models.embed.pieces.CACHED", 8)
    model = part(bert)
    before = vectors(model, *SENTENCES)
    again = vectors(model, *SENTENCES[::-1])[::-1]
    assert len(shim_of(model).module.words._known) <= 20
    for one, other in zip(before, again):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_cache_of_words_serves_many_threads(bert, monkeypatch):
    monkeypatch.setattr("spacy_mtl_bioner.models.embed.pieces.CACHED", 3)
    words = shim_of(part(bert)).module.words
    batches = [batch_of([doc_of(English().vocab, sentence)]) for sentence in SENTENCES] * 40
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(words, batches))
    for batch, pieces in zip(batches, found):
        assert np.array_equal(words(batch).ids, pieces.ids)


def test_alone_in_a_batch_and_at_the_end_of_a_long_document(folder):
    model = part(folder)
    sentence = SENTENCES[2]
    (alone,) = vectors(model, sentence)
    together = vectors(model, *SENTENCES)[2]
    filler = [f"the gene {i} causes cancer of mice" for i in range(715)]
    document = vectors(model, *filler, sentence)
    assert sum(map(len, document)) > 4990
    for found in (together, document[-1]):
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)


def test_a_long_sentence_is_read_in_windows(folder):
    """Each token's vector is that of one of the windows, made by hand from the words that it shows."""
    model = part(folder, window=24, overlap=10)
    words = LONG.split()
    (found,) = vectors(model, LONG)
    module = shim_of(model).module
    counts = [len(pieces) for pieces in module.words.split(words)]
    assert len(found) == len(words) and sum(counts) > 3 * 22
    candidates = [[] for _ in words]
    for first in range(len(words)):
        for past in range(first + 1, len(words) + 1):
            room = 22 - sum(counts[first:past])
            edge = past == len(words) or room < counts[past]
            if room >= 0 and edge:
                for token, vector in enumerate(expected(folder, words[first:past], encoder=module.encoder), first):
                    candidates[token].append(vector)
    for vector, options in zip(found, candidates):
        assert min((vector - option).abs().max() for option in options) < 1e-5


def test_a_word_that_the_window_has_no_room_for_shows_its_first_pieces(bert):
    """As one of ``max_pieces`` does, which may be met in a text to tag alone."""
    word = "methylenetetrahydrofolate" * 3
    narrow, short = part(bert, ["<a>"], window=8), part(bert, ["<a>"], max_pieces=5)
    assert len(shim_of(narrow).module.words.split([word])[0]) > 8
    found, expected = (
        run(model, marked(batch_of([doc_of(DOC.vocab, word)]), ["<a>"], []), False) for model in (narrow, short)
    )
    torch.testing.assert_close(found, expected)


def test_the_window_is_what_the_encoder_has_positions_for(bert, roberta):
    """RoBERTa has 66 rows, of which the first two are not for text."""
    assert shim_of(part(bert)).module.window == 64
    assert shim_of(part(roberta)).module.window == 64
    for folder in (bert, roberta):
        (found,) = vectors(part(folder), " ".join(["of"] * 500))
        assert found.shape == (500, 16) and found.isfinite().all()


def test_a_huge_word_leaves_its_neighbors_alone(bert):
    model = part(bert, max_pieces=5)
    huge = "a-" * 25000
    found, short = vectors(model, f"the {huge} gene", f"the {huge[:4]}a gene")
    torch.testing.assert_close(found, short, rtol=1e-4, atol=1e-5)


def marked(batch, before, after):
    batch.marks = Marks((tuple(before),), (tuple(after),))
    return batch


def test_marks_are_added_pieces(bert):
    """As the library adds tokens: one id each, with the mean of the rows."""
    model = part(bert, ["<disease>", "</disease>"])
    with torch.no_grad():
        found = run(model, marked(batch_of([doc_of(VOCAB, SENTENCES[0])]), ["<disease>"], ["</disease>"]), False)[0]
    tokenizer, encoder = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<disease>", "</disease>"]})
    mean = encoder.get_input_embeddings().weight.mean(0)
    encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        encoder.get_input_embeddings().weight[-2:] = mean
    tagged = ["<disease>", *SENTENCES[0].split(), "</disease>"]
    tokenizer.save_pretrained(bert.parent / "added")
    assert tokenizer(tagged[:1], is_split_into_words=True)["input_ids"][1:-1] == [len(tokenizer) - 2]
    theirs = expected(bert.parent / "added", tagged, encoder=encoder)[1:-1]
    torch.testing.assert_close(found, theirs, rtol=1e-4, atol=1e-5)


def test_every_window_is_within_the_marks(bert, monkeypatch):
    model = part(bert, ["<a>", "</a>"], window=24, overlap=8)
    module, shown = shim_of(model).module, []
    encode = module.encode
    noted = lambda ids, lengths: shown.append((ids.copy(), lengths)) or encode(ids, lengths)  # noqa: E731
    monkeypatch.setattr(module, "encode", noted)
    run(model, marked(batch_of([doc_of(VOCAB, LONG)]), ["<a>"], ["</a>"]), False)
    first = module.encoder.config.vocab_size
    rows = [row[:length].tolist() for ids, lengths in shown for row, length in zip(ids, lengths)]
    assert len(rows) > 3
    for row in rows:
        assert row[1] == first and row[-2] == first + 1
        assert max(row[2:-2]) < first


def test_new_marks_leave_the_old_ones_and_everything_else_alone(bert):
    model = part(bert, ["<a>"])
    shim = shim_of(model)
    with torch.no_grad():
        shim.module.marks.add_(1.0)
    before = {name: tensor.clone() for name, tensor in shim.module.state_dict().items()}
    lexicon = lexicon_of(DOC)
    lexicon.marks = ["<b>", "<a>"]
    model.initialize(X=lexicon)
    assert shim.module.mark_names == ["<a>", "<b>"] == shim.arguments["marks"]
    for name, tensor in shim.module.state_dict().items():
        assert torch.equal(tensor[: len(before[name])], before[name])
    again = TaggedTransformer("elsewhere").from_bytes(model.to_bytes())
    assert shim_of(again).module.mark_names == ["<a>", "<b>"]


def test_the_bytes_need_no_folder(bert, tmp_path):
    shutil.copytree(bert, tmp_path / "encoder")
    model = part(tmp_path / "encoder", ["<a>"], pooling="mean", window=20)
    before = vectors(model, *SENTENCES)
    shutil.rmtree(tmp_path / "encoder")
    data = model.to_bytes()
    again = TaggedTransformer("nowhere").from_bytes(data)
    for one, other in zip(before, vectors(again, *SENTENCES)):
        assert torch.equal(one, other)
    assert again.to_bytes() == data and str(tmp_path).encode() not in shim_of(model).to_bytes()
    copied = shim_of(model).copy()
    assert copied.to_bytes() == shim_of(model).to_bytes()


def gradients(model):
    batch = batch_of([DOC])
    shim = shim_of(model)
    torch.manual_seed(1)
    run(model, batch, True).pow(2)[batch.mask].sum().backward()
    found = {name: param.grad for (_, name), param in shim.named_parameters() if param.grad is not None}
    return {name: grad.to_dense() if grad.is_sparse else grad for name, grad in found.items()}


def test_gradient_checkpointing_changes_nothing(bert):
    """Dropout included: the second pass draws what the first one drew."""
    plain, checkpointed = (gradients(part(bert, gradient_checkpointing=on)) for on in (False, True))
    assert plain.keys() == checkpointed.keys() and len(plain) > 20
    for name, gradient in plain.items():
        torch.testing.assert_close(checkpointed[name], gradient, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_that_of_the_library(bert):
    """Of every parameter, though the table's is sparse here."""
    config = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    folder = tiny_bert(bert.parent / "sure", **config)
    ours, encoder = gradients(part(folder)), AutoModel.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for sentence in SENTENCES:
        encoded = tokenizer(sentence.split(), is_split_into_words=True, return_tensors="pt")
        owners = encoded.word_ids()
        firsts = [owners.index(word) for word in range(len(sentence.split()))]
        encoder(**encoded)[0][0, firsts].pow(2).sum().backward()
    theirs = {name: param.grad for name, param in encoder.named_parameters() if "pooler" not in name}
    assert set(ours) == {f"encoder.{name}" for name in theirs}
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[f"encoder.{name}"], gradient, rtol=1e-3, atol=1e-5)


def test_rates_by_layer(bert):
    scales = shim_of(part(bert, ["<a>"], rate=0.5, layer_decay=0.8)).module.lr_scales()
    assert scales["encoder.encoder.layer.1.output.dense.bias"] == 0.5
    assert scales["encoder.encoder.layer.0.attention.self.query.weight"] == pytest.approx(0.4)
    assert scales["encoder.embeddings.word_embeddings.weight"] == pytest.approx(0.32)
    assert "marks" not in scales


def test_a_frozen_encoder_drops_nothing_and_marks_still_learn(bert):
    for model in (part(bert, ["<a>"], frozen=True), part(bert, ["<a>"], frozen=True).copy()):  # before any prediction
        one, other = vectors(model, SENTENCES[0], is_train=True), vectors(model, SENTENCES[0], is_train=True)
        assert torch.equal(one[0], other[0])
    assert [name for (_, name), _ in shim_of(model).named_parameters()] == ["marks"]
    for one, other in zip(vectors(model, *SENTENCES), vectors(model, *SENTENCES, is_train=True)):
        assert torch.equal(one, other)
    run(model, marked(batch_of([DOC]), ["<a>"], []), True).pow(2).sum().backward()
    assert shim_of(model).module.marks.grad.abs().sum() > 0
    assert all(param.grad is None for param in shim_of(model).module.encoder.parameters())


def test_dropout_is_that_of_the_encoder(bert):
    model = part(bert)
    one, other = vectors(model, SENTENCES[0], is_train=True), vectors(model, SENTENCES[0], is_train=True)
    assert not torch.equal(one[0], other[0])
    for one, other in zip(vectors(model, SENTENCES[0]), vectors(model, SENTENCES[0])):
        assert torch.equal(one, other)


def test_a_cased_vocabulary_keeps_case_though_nobody_says_so(tmp_path, caplog):
    folder = tiny_bert(tmp_path / "cased", cased=True)
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer.json").unlink()
    words = shim_of(part(folder)).module.words
    assert "MTL235" in caplog.text
    assert words.split(["BRCA1"]) != words.split(["brca1"])
    words = shim_of(part(folder, lowercase=True)).module.words
    assert words.split(["BRCA1"]) == words.split(["brca1"])


def test_an_uncased_vocabulary_lower_cases(bert, caplog):
    words = shim_of(part(bert)).module.words
    assert words.split(["BRCA1"]) == words.split(["brca1"]) and not caplog.text


def test_what_cannot_be_read(bert, tmp_path):
    with pytest.raises(MTLError, match="MTL232.*'last'.*first, mean"):
        TaggedTransformer(str(bert), pooling="last")
    with pytest.raises(MTLError, match="MTL231.*nowhere"):
        part(tmp_path / "nowhere", local_files_only=True)
    pickled = shutil.copytree(bert, tmp_path / "pickled")
    torch.save(AutoModel.from_pretrained(bert).state_dict(), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    with pytest.raises(MTLError, match="MTL231.*safetensors"):
        part(pickled)
    other = tiny_bert(tmp_path / "other", num_hidden_layers=1)
    three = shutil.copytree(tiny_bert(tmp_path / "three", num_hidden_layers=3), tmp_path / "mixed")
    shutil.copy(other / "model.safetensors", three / "model.safetensors")
    with pytest.raises(MTLError, match="MTL231.*no weights for .*layer.1"):
        part(three)
    with pytest.raises(MTLError, match="MTL234"):
        vectors(part(bert, window=2), "BRCA1")


@pytest.mark.parametrize(
    "setting, found", [("window", 0), ("overlap", -1), ("max_pieces", 0), ("layer_decay", 1.5), ("rate", -1)]
)
def test_settings_out_of_range(setting, found):
    with pytest.raises(MTLError, match=f"MTL200.*{setting} is {found}"):
        TaggedTransformer("nowhere", **{setting: found})


def test_words_of_a_byte_level_tokenizer_start_with_a_space(roberta, tmp_path):
    """A folder as most RoBERTas are published: its tokenizer joins words that it is given without a space."""
    folder = shutil.copytree(roberta, tmp_path / "published")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (folder / name).read_text(encoding="utf8")
        assert '"add_prefix_space": true' in text
        (folder / name).write_text(text.replace('"add_prefix_space": true', '"add_prefix_space": false'), "utf8")
    expected = shim_of(part(roberta)).module.words.split(["the", "gene", "cancer"])
    assert shim_of(part(folder)).module.words.split(["the", "gene", "cancer"]) == expected


def test_padding_and_truncation_of_a_saved_tokenizer_do_not_count(bert, tmp_path):
    """Some folders (sentence encoders) say that every text is padded and cut to a length."""
    folder = shutil.copytree(bert, tmp_path / "padding")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=32)
    tokenizer.enable_truncation(8)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert shim_of(part(folder)).module.specials == shim_of(part(bert)).module.specials
    for one, other in zip(vectors(part(folder), LONG), vectors(part(bert), LONG)):
        assert torch.equal(one, other)


def test_without_the_library(bert, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MTLError, match=r"MTL230.*spacy_mtl_bioner\[transformers\]"):
        part(bert)


def test_bfloat16(bert):
    model = part(bert)
    exact = vectors(model, *SENTENCES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = vectors(model, *SENTENCES)
    for one, other in zip(exact, rough):
        assert other.dtype == torch.float32 and not torch.equal(one, other)
        torch.testing.assert_close(one, other, rtol=0.1, atol=0.1)
