"""A Hugging Face encoder as an embedding part, inside the model's one autograd graph."""

from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...errors import E200, E232, MTLError
from ...layers.torch_layer import shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..checks import at_least
from ..lexicon import Lexicon
from ..marks import NO_MARKS, Marks
from .piece_windows import Frame, cut_windows, fill, groups
from .pieces import WordPieces
from .pretrained import load, new_encoder


def TaggedTransformer(
    name: str,
    pooling: str = "first",
    window: int = 512,
    overlap: int = 128,
    max_pieces: int = 64,
    frozen: bool = False,
    rate: float = 1.0,
    layer_decay: float = 1.0,
    gradient_checkpointing: bool = False,
    lowercase: Optional[bool] = None,
    local_files_only: bool = False,
    revision: str = "main",
) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,H]: the last layer's vectors of each token's word pieces (Devlin et al. 2019).

    The encoder is read once, by ``initialize``; from then on its weights, sizes and tokenizer travel with the model,
    which needs neither folder nor network. A sentence is read by itself, with the marks (``models/marks.py``) that the
    sharing part puts around it, each one a piece with a row of its own that starts as the mean of all pieces'. Longer
    sentences than the window are read in overlapping windows, all within the marks; a token takes its vector from the
    window where it has most context, so that none is lost. Dropout is as the encoder's own config has it.

    name (str): A folder with config.json, model.safetensors and a tokenizer, or a name on the Hugging Face hub.
    pooling (str): "first", a token's vector is that of its first piece; or "mean", of all its pieces.
    window (int): Pieces that are read at once, at most; the encoder's own limit goes before it.
    overlap (int): Pieces that neighboring windows of a long sentence share; at most half a window.
    max_pieces (int): Longer words show this many of their first pieces, fewer where the window has no room for them.
    frozen (bool): Whether the encoder stays as it is (and drops nothing out); marks still learn.
    rate (float): How many times the optimizer's learning rate the encoder has; marks have the whole rate.
    layer_decay (float): How many times the rate of the layer above a layer has (Howard & Ruder 2018).
    gradient_checkpointing (bool): Compute each layer twice in training instead of keeping what it computed.
    lowercase (Optional[bool]): Whether the text is lower-cased, for BERT's tokenizers; ``null``: as its vocabulary is.
    local_files_only (bool): Never ask the hub; the environment variable HF_HUB_OFFLINE does the same.
    revision (str): Branch, tag or commit on the hub.
    RAISES (MTLError): MTL232 for another pooling; MTL200 for a size or decay out of range; at initialization
        MTL230 without the library, MTL231 for an encoder that cannot be read, MTL233 for one without a fast tokenizer;
        MTL234 for a window with no room for words.
    """
    if pooling not in POOLINGS:
        raise MTLError(E232(pooling=pooling, expected=", ".join(POOLINGS)))
    at_least(1, "TaggedTransformer", window=window, max_pieces=max_pieces)
    at_least(0, "TaggedTransformer", overlap=overlap, rate=rate)
    if not 0.0 < layer_decay <= 1.0:
        expected = "more than 0, and 1 at most"
        raise MTLError(E200(part="TaggedTransformer", setting="layer_decay", found=layer_decay, expected=expected))
    attrs = {
        "source": {"name": name, "revision": revision, "local_files_only": local_files_only, "lowercase": lowercase},
        "settings": {
            "pooling": pooling,
            "window": window,
            "overlap": overlap,
            "max_pieces": max_pieces,
            "frozen": frozen,
            "rate": rate,
            "layer_decay": layer_decay,
            "gradient_checkpointing": gradient_checkpointing,
        },
        "reads_marks": True,
    }
    return torch_layer("tagged_transformer", TaggedEncoder, init=init, dims={"nO": None}, attrs=attrs)


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Read the encoder; one that is there gets the marks that are new."""
    if X is None:
        return
    shim = shim_of(model)
    if not shim.built:
        encoder, *described = load(**model.attrs["source"])
        module = shim.build(**dict(zip(("config", "tokenizer", "specials"), described)), **model.attrs["settings"])
        module.encoder.load_state_dict(encoder.state_dict())
        model.set_dim("nO", module.width, force=True)
    shim.arguments["marks"] = shim.module.add_marks(X.marks)


class TaggedEncoder(nn.Module):
    """Pieces, windows, encoder, pooling. Ids from the size of the vocabulary on are marks."""

    def __init__(
        self,
        config: Dict[str, Any],
        tokenizer: str,
        specials: Dict[str, Any],
        pooling: str,
        window: int,
        overlap: int,
        max_pieces: int,
        frozen: bool,
        rate: float,
        layer_decay: float,
        gradient_checkpointing: bool,
        marks: Tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.encoder = new_encoder(config)
        self.words = WordPieces(tokenizer, specials["unknown"], max_pieces)
        self.specials = specials
        self.pool = POOLINGS[pooling]
        self.window = min(window, _longest(self.encoder))
        self.overlap = overlap
        self.frozen = frozen
        self.rate, self.layer_decay = rate, layer_decay
        self.width: int = self.encoder.config.hidden_size
        table = self.encoder.get_input_embeddings()
        table.sparse = True
        self.marks = nn.Parameter(table.weight.new_zeros(0, table.embedding_dim))
        self.mark_names: List[str] = []
        self.add_marks(marks)
        if gradient_checkpointing:
            self.encoder.gradient_checkpointing_enable({"use_reentrant": False})
        for param in self.encoder.parameters():
            param.requires_grad_(not frozen)
        self.train()

    @torch.no_grad()
    def add_marks(self, names: Any) -> List[str]:
        """Give each new name a row, the mean of the pieces'. Returns all names."""
        new = [name for name in names if name not in self.mark_names]
        if new:
            mean = self.encoder.get_input_embeddings().weight.mean(dim=0, keepdim=True)
            self.marks = nn.Parameter(torch.cat([self.marks, mean.expand(len(new), -1)]))
            self.mark_names = [*self.mark_names, *new]
        return list(self.mark_names)

    def train(self, mode: bool = True) -> "TaggedEncoder":
        """A frozen encoder never drops anything out."""
        super().train(mode)
        self.encoder.train(mode and not self.frozen)
        return self

    def lr_scales(self) -> Dict[str, float]:
        """How many times the optimizer's rate each parameter has: ``rate`` in the top layer, less below."""
        names = [name for name, _ in self.named_parameters() if name != "marks"]
        depths = {name: _depth(name) for name in names}
        top = max((depth for depth in depths.values() if depth is not None), default=0)
        return {
            name: self.rate * self.layer_decay ** (0 if depth is None else top - depth)
            for name, depth in depths.items()
        }

    def forward(self, batch: TokenBatch) -> torch.Tensor:
        """TokenBatch -> f32[B,T,H]."""
        frames = self.frames(batch.marks or NO_MARKS)
        room = self.window - max(len(frame.before) + len(frame.after) for frame in frames)
        pieces = self.words(batch, room)
        frame_of = np.repeat(np.arange(len(frames)), len(batch.lengths) // len(frames))
        windows = cut_windows(pieces.counts, batch.lengths, frames, frame_of, self.window, self.overlap)
        device = self.marks.device
        vectors, bases, filled = [], np.zeros(len(windows.lengths), dtype="int64"), 0
        slack = CPU_SLACK if device.type == "cpu" else BUDGET
        for group in groups(windows.lengths, BUDGET, slack):
            ids = fill(windows, group, pieces.ids, frames, self.specials["pad"])
            vectors.append(self.encode(ids, windows.lengths[group]))
            bases[group] = filled + ids.shape[1] * np.arange(len(group))
            filled += ids.size
        rows = to_device(bases[windows.owners] + windows.starts, device)
        table = torch.cat(vectors) if len(vectors) > 1 else vectors[0]
        pooled = self.pool(table, rows, to_device(pieces.counts, device))
        return pooled[batch.places]

    def frames(self, marks: Marks) -> List[Frame]:
        """What the windows of each pair of marks have around their pieces."""
        first = self.encoder.get_input_embeddings().num_embeddings
        ids = {name: first + i for i, name in enumerate(self.mark_names)}
        before, after = tuple(self.specials["before"]), tuple(self.specials["after"])
        return [
            Frame(before + tuple(ids[name] for name in front), tuple(ids[name] for name in back) + after)
            for front, back in zip(*marks)
        ]

    def encode(self, ids: np.ndarray, lengths: np.ndarray) -> torch.Tensor:
        """i64[W,L] -> f32[W*L,H]."""
        device, table = self.marks.device, self.encoder.get_input_embeddings()
        marked = np.nonzero(ids >= table.num_embeddings)
        which = to_device(ids[marked] - table.num_embeddings, device)
        ids[marked] = self.specials["pad"]
        embedded = table(to_device(ids, device))
        if len(which):
            places = tuple(to_device(place, device) for place in marked)
            rows = nn.functional.embedding(which, self.marks, sparse=True)  # others' marks stay where they are
            embedded = embedded.index_put(places, rows)
        mask = to_device(np.arange(ids.shape[1])[None, :] < lengths[:, None], device)
        return self.encoder(inputs_embeds=embedded, attention_mask=mask.long())[0].float().flatten(0, 1)


def _first(table: torch.Tensor, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """The vector of each token's first piece."""
    return table.index_select(0, rows)


def _mean(table: torch.Tensor, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """The mean of the vectors of each token's pieces, which stand side by side."""
    offsets = counts.cumsum(0) - counts
    every = torch.arange(int(counts.sum()), device=rows.device) + (rows - offsets).repeat_interleave(counts)
    return nn.functional.embedding_bag(every, table, offsets, mode="mean")


POOLINGS: Dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "first": _first,
    "mean": _mean,
}

BUDGET = 16384
"""Pieces with padding that the encoder reads at once."""

CPU_SLACK = 64
"""Padding among them on a processor, where a larger batch gains less than its padding costs."""


def _longest(encoder: nn.Module) -> int:
    """Pieces that the encoder has positions for: not what the tokenizer believes, and less where positions start after
    that of padding (RoBERTa)."""
    limit = getattr(encoder.config, "max_position_embeddings", None) or 512
    positions = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(positions, "padding_idx", None)
    return limit if padding is None else limit - padding - 1


def _depth(name: str) -> Optional[int]:
    """The layer that a parameter is in, from 1; 0 for the embedding, None for what is above all layers."""
    numbers = [int(part) for part in name.split(".") if part.isdigit()]
    return numbers[0] + 1 if numbers else 0 if "embed" in name else None
