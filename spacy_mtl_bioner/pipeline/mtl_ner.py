"""The trainable component ``mtl_ner``: learns from many corpora, tags any of their schemes on demand."""

import logging
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy import util
from spacy.errors import Errors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate

from ..errors import E101, E102, E103, E117, E121, E127, MTLError
from ..types import DEFAULT_CORPUS, CorpusSpec
from .groups import register
from .merging import MergePolicy
from .scorer import POOLED
from .selection import check_limits, check_policy, finders, group_by_selection, limits_of, resolve
from .storage import SpecLike, StoredHeads, to_data, to_spec
from .threads import one_thread_in_workers

if TYPE_CHECKING:
    from .annotations import Predictions

logger = logging.getLogger("spacy_mtl_bioner")

DEFAULT_MODEL = """
[model]
@architectures = "spacy_mtl_bioner.MultiTaskNER.v1"
tok2vec = null

[model.embed]
@architectures = "spacy_mtl_bioner.WordsAndCharacters.v1"

[model.sharing]
@architectures = "spacy_mtl_bioner.FullyShared.v1"
encoder = {"@layers":"spacy_mtl_bioner.BiLSTM.v1"}

[model.decoder]
@layers = "spacy_mtl_bioner.CRF.v1"
"""


@Language.factory(
    "mtl_ner",
    assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": Config().from_str(DEFAULT_MODEL)["model"],
        "corpora": None,
        "merge": {"@misc": "spacy_mtl_bioner.MergeByScore.v1"},
        "scores": True,
        "threshold": 0.0,
        "thresholds": {},
        "overwrite_ents": True,
        "scorer": {"@scorers": "spacy_mtl_bioner.mtl_scorer.v1"},
    },
    default_score_weights={
        "mtl_macro_f": 1.0,
        "mtl_micro_f": 0.0,
        "ents_f": 0.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_per_type": None,
    },
)
def make_mtl_ner(
    nlp: Language,
    name: str,
    model: Model,
    corpora: Optional[List[str]],
    merge: MergePolicy,
    scores: bool,
    threshold: float,
    thresholds: Dict[str, float],
    overwrite_ents: bool,
    scorer: Optional[Callable],
) -> "MultiTaskRecognizer":
    """Make the component; the arguments are those of ``MultiTaskRecognizer``."""
    return MultiTaskRecognizer(
        nlp.vocab,
        model,
        name,
        corpora=corpora,
        merge=merge,
        scores=scores,
        threshold=threshold,
        thresholds=thresholds,
        overwrite_ents=overwrite_ents,
        scorer=scorer,
    )


class MultiTaskRecognizer(StoredHeads):
    """Entities of every selected corpus in ``doc.spans[<corpus>]`` with scores, their merge in ``doc.ents``, and where
    each merged entity is from in ``Doc._.mtl``."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "mtl_ner",
        *,
        corpora: Optional[Sequence[str]] = None,
        merge: MergePolicy,
        scores: bool = True,
        threshold: float = 0.0,
        thresholds: Optional[Dict[str, float]] = None,
        overwrite_ents: bool = True,
        scorer: Optional[Callable] = None,
    ) -> None:
        """Make the component.

        vocab (Vocab): The shared vocabulary.
        model (Model): The multi-task model (``spacy_mtl_bioner.MultiTaskNER.v1``).
        name (str): The component's name.
        corpora (Optional[Sequence[str]]): Which corpora tag a document; None: all of kind ``spans``.
        merge (MergePolicy): How the corpora's entities become ``doc.ents``.
        scores (bool): Whether entities get the probability that the model gives them.
        threshold (float): Entities that score less are dropped; 0 keeps all.
        thresholds (Optional[Dict[str, float]]): Thresholds of single corpora, which go before ``threshold``.
        overwrite_ents (bool): Whether entities that other components set on ``doc.ents`` go. Where they stay, the merge
            leaves out what overlaps them; ``doc.spans`` have all.
        scorer (Optional[Callable]): The scoring method.
        RAISES (MTLError): MTL105 for a threshold that is not from 0 to 1.
        """
        check_limits({"threshold": threshold, **(thresholds or {})}, name)
        register()
        self.vocab = vocab
        self.model = model
        self.name = name
        self.merge = merge
        self.overwrite_ents = overwrite_ents
        self.scorer = scorer
        self.heads: Dict[str, CorpusSpec] = {}
        self.cfg: Dict[str, Any] = {
            "corpora": None if corpora is None else list(corpora),
            "scores": scores,
            "threshold": threshold,
            "thresholds": dict(thresholds or {}),
        }
        self._sentences = 0
        self._told = False

    # Labels ------------------------------------------------------------------------------------

    @property
    def corpora(self) -> Tuple[str, ...]:
        """The corpora that the component knows, in the order of its heads."""
        return tuple(self.heads)

    @property
    def labels(self) -> Tuple[str, ...]:
        """All labels, each once, in the order of the corpora."""
        return tuple(dict.fromkeys(label for spec in self.heads.values() for label in spec.labels))

    @property
    def head_labels(self) -> Dict[str, Tuple[str, ...]]:
        """The labels of each corpus."""
        return {corpus: spec.labels for corpus, spec in self.heads.items()}

    @property
    def label_data(self) -> Dict[str, SpecLike]:
        """What ``initialize`` takes as ``labels``."""
        return {corpus: to_data(spec) for corpus, spec in self.heads.items()}

    def add_label(self, label: str, corpus: Optional[str] = None) -> int:
        """Add a label to a corpus, and the corpus itself if it is new; a trained model keeps what it knew.

        label (str): The label.
        corpus (Optional[str]): Its corpus; may be left out where the component has just one, or none yet.
        RETURNS (int): 1 if the label is new, else 0.
        RAISES (MTLError): MTL121 where the corpus is left out and there are several; MTL102 as ``initialize``.
        """
        if corpus is None:
            if len(self.heads) > 1:
                raise MTLError(E121(name=self.name, label=label, known=", ".join(self.heads)))
            corpus = next(iter(self.heads), DEFAULT_CORPUS)
        _check_name(corpus)
        spec = self.heads.get(corpus, CorpusSpec("spans", ()))
        if label in spec.labels:
            return 0
        self.vocab.strings.add(label)
        self.heads[corpus] = CorpusSpec(spec.kind, (*spec.labels, label))
        self._grow()
        return 1

    # Initialization -----------------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Dict[str, SpecLike]] = None,
        extend: bool = False,
    ) -> None:
        """Build the model for the corpora of the examples (``reference._.corpus``), or of ``labels``.

        get_examples (Callable): Gives the training examples.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Dict[str, SpecLike]]): {corpus: labels}, as ``label_data`` and ``spacy init labels`` give it.
        extend (bool): Keep the weights and corpora that are there and add what is new, instead of starting afresh.
        RAISES (MTLError): MTL102 for a corpus whose scores would have the names of those of all corpora; MTL103, with
            ``extend``, for a corpus that was of another kind; MTL126 for labels of another form, MTL127 for labels of
            another kind than the examples.
        """
        from ..layers.structure import clear, has_weights, reset
        from .gold import corpus_of, has_gold, survey

        validate_get_examples(get_examples, "MultiTaskRecognizer.initialize")
        lexicon, found = survey(get_examples(), self.vocab)
        if labels is not None:
            surveyed, found = found, {corpus: to_spec(corpus, data) for corpus, data in labels.items()}
            for corpus, spec in found.items():
                kind = surveyed.get(corpus, spec).kind
                if kind != spec.kind and surveyed[corpus].labels:  # else its examples show neither kind
                    mine = (example.reference for example in get_examples() if corpus_of(example) == corpus)
                    if not any(has_gold(reference, spec.kind) for reference in mine):
                        raise MTLError(E127(corpus=corpus, given=spec.kind, found=kind))
        if extend:
            found = {corpus: spec if spec.labels else self.heads.get(corpus, spec) for corpus, spec in found.items()}
        for corpus, spec in found.items():
            _check_name(corpus)
            if extend and self.heads.get(corpus, spec).kind != spec.kind:
                raise MTLError(E103(corpus=corpus, old=self.heads[corpus].kind, new=spec.kind))
        afresh = not extend and has_weights(self.model)  # else there may be what add_label gave an empty component
        heads = {} if afresh else dict(self.heads)
        for corpus, spec in found.items():
            old = heads.get(corpus, CorpusSpec(spec.kind, ()))
            heads[corpus] = CorpusSpec(spec.kind, tuple(dict.fromkeys([*old.labels, *spec.labels])))
        if not any(spec.labels for spec in heads.values()):  # before anything of a trained model is gone
            raise ValueError(Errors.E143.format(name=self.name))
        self.heads = heads
        if not extend:
            reset(self.model)
            clear(self.model)
        for label in self.labels:
            self.vocab.strings.add(label)
        self.model.initialize(X=lexicon, Y=self.heads)

    def _grow(self) -> None:
        """Give a model that has weights the corpora and labels that are new."""
        from ..layers.structure import has_weights
        from ..models.lexicon import Lexicon

        if has_weights(self.model):
            self.model.initialize(X=Lexicon(self.vocab), Y=self.heads)

    # Training -----------------------------------------------------------------------------------

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch, of one corpus or of several. Documents without gold of their corpus' kind are left
        out.

        drop (float): Dropout of an upstream ``tok2vec``; the parts of the model have rates of their own, and where no
            other reads it, that is logged (MTL117).
        RETURNS (Dict[str, float]): Summed losses under the component's name; of these a corpus' under
            ``<name>/<corpus>`` and an auxiliary one under ``<name>:<loss>``, whatever a corpus is called.
        RAISES (MTLError): MTL122 for a label, MTL100 for a corpus that has no head.
        """
        from .gold import encode

        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "MultiTaskRecognizer.update")
        gold = encode(examples, self.heads)
        listening = len(self.model.layers) > 3 and any(len(example.predicted) for example in examples)
        if not any(gold.corpora) and not listening:  # a tok2vec, to which others may listen, waits for a backward pass
            return losses
        self._tell_dropout(drop)
        set_dropout_rate(self.model, drop)
        terms, backprop = self.model.begin_update(gold)
        backprop(1.0)
        self._sentences += terms.sentences
        losses[self.name] += terms.total()
        for mark, parts in (("/", terms.of), (":", terms.auxiliary)):
            for part, loss in parts.items():
                key = f"{self.name}{mark}{part}"
                losses[key] = losses.get(key, 0.0) + loss
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def _tell_dropout(self, drop: float) -> None:
        """Log MTL117, once, for a rate of the training that no part of the model takes."""
        if drop and not self._told and not any("dropout_rate" in node.attrs for node in self.model.walk()):
            self._told = True
            logger.warning(E117(name=self.name, drop=drop))

    def get_loss(self, examples: Iterable[Example], scores: Any) -> Tuple[float, float]:
        """The summed loss of what ``model.begin_update`` returned, and the weight that its callback takes."""
        return scores.total(), 1.0

    def finish_update(self, sgd: Optimizer) -> None:
        """Divide the gradients by the sentences since the last step, clip their global norm to the optimizer's
        ``grad_clip`` and step."""
        from ..layers.gradients import average_and_clip

        if self._sentences:
            average_and_clip(self.model, self._sentences, sgd.grad_clip)
        self._sentences = 0
        self.model.finish_update(sgd)

    # Prediction ----------------------------------------------------------------------------------

    def __call__(self, doc: Doc, **settings: Any) -> Doc:
        """Tag one document. ``settings`` (``corpora``, ``threshold``, ``scores``) hold for this call alone."""
        settings.pop("batch_size", None)  # nlp.pipe leaves its own in the component_cfg that it was given
        for tagged in self.pipe([doc], batch_size=1, **settings):
            return tagged
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128, **settings: Any) -> Iterator[Doc]:
        """Tag a stream in batches. Where a batch fails its documents are tried one by one, and only the culprits go
        to the error handler."""
        one_thread_in_workers()
        for docs in util.minibatch(stream, size=batch_size):
            docs = list(docs)
            try:
                self.set_annotations(docs, self.predict(docs, **settings))
            except Exception as error:
                yield from self._one_by_one(docs, error, settings)
            else:
                yield from docs

    def _one_by_one(self, docs: List[Doc], error: Exception, settings: Dict[str, Any]) -> Iterator[Doc]:
        handle = self.get_error_handler()
        if len(docs) == 1:
            handle(self.name, self, docs, error)
            return
        for doc in docs:
            try:
                self.set_annotations([doc], self.predict([doc], **settings))
            except Exception as culprit:
                handle(self.name, self, [doc], culprit)
            else:
                yield doc

    def predict(
        self,
        docs: Iterable[Doc],
        *,
        corpora: Optional[Sequence[str]] = None,
        threshold: Optional[float] = None,
        scores: Optional[bool] = None,
    ) -> "Predictions":
        """What the selected corpora find in the documents, which stay as they are.

        corpora (Optional[Sequence[str]]): Selection for this call; ``Doc._.corpora`` goes before it.
        threshold (Optional[float]): Threshold for this call, of all corpora.
        scores (Optional[bool]): Whether to compute scores in this call.
        RAISES (MTLError): MTL100 for an unknown corpus; MTL101 before initialization; MTL105 for a threshold, or where
            more corpora must agree than there are.
        """
        from .annotations import Predictions

        docs = list(docs)
        if not self.heads:
            raise MTLError(E101(name=self.name))
        limits = limits_of(self.heads, self.cfg, threshold, f"a call of {self.name}")
        wanted = self.cfg["scores"] if scores is None else scores
        resolve(list(self.cfg["thresholds"]), self.corpora, f"the setting thresholds of {self.name}")
        check_policy(self.merge, self.corpora, len(self._taggers), f"the merge policy of {self.name}")
        asked = self.cfg["corpora"] if corpora is None else corpora
        where = f"the setting corpora of {self.name}" if corpora is None else f"a call of {self.name}"
        otherwise = resolve(asked, self.corpora, where, self._taggers)
        predictions = Predictions(self.heads, limits)
        for selection, members in group_by_selection(docs, otherwise, self.corpora, predictions.no_entities):
            needs_scores = wanted or any(limits[corpus] > 0 for corpus in selection)
            predictions.add(self.model, docs, members, selection, needs_scores)
        return predictions

    def set_annotations(self, docs: Iterable[Doc], scores: "Predictions") -> None:
        """Write ``doc.spans``, ``doc.ents`` and ``Doc._.mtl``."""
        scores.write(list(docs), self.merge, self.overwrite_ents)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """What the scorer says, which gets the settings and ``heads``, the corpora that the component knows."""
        return super().score(examples, heads=self.corpora, **kwargs)

    @property
    def _taggers(self) -> Tuple[str, ...]:
        """The corpora that tag where nothing is selected: those whose gold is entities; where there are none, all."""
        return finders(self.heads) or self.corpora


def _check_name(corpus: str) -> None:
    if corpus in POOLED:
        raise MTLError(E102(corpus=corpus, score=f"mtl_{corpus}_f"))
