"""Pretrained Hugging Face encoders, from a folder or the hub: never their code, never pickles."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from torch import nn

from ...errors import E230, E231, E233, E235, MTLError

logger = logging.getLogger("spacy_mtl_bioner")


class Pretrained(NamedTuple):
    """An encoder with its weights, its config and its tokenizer as JSON, and the ids that frame a text."""

    encoder: nn.Module
    config: Dict[str, Any]
    tokenizer: str
    specials: Dict[str, Any]


def hugging_face() -> Any:
    """The library ``transformers``. Raises MTL230 where it is not installed."""
    try:
        import transformers
    except ImportError:
        raise MTLError(E230()) from None
    return transformers


def new_encoder(config: Dict[str, Any]) -> nn.Module:
    """An encoder of these sizes with random weights, without the pooling layer that token vectors do not pass."""
    transformers = hugging_face()
    sizes = {key: value for key, value in config.items() if key != "model_type"}
    encoder = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(config["model_type"], **sizes))
    return _without_pooler(encoder)


def load(name: str, revision: str, local_files_only: bool, lowercase: Optional[bool]) -> Pretrained:
    """Read an encoder from a folder, the local cache, or the hub.

    Raises MTL231 for what cannot be read or is no safetensors file, MTL233 for a tokenizer that is no ``tokenizers``.
    """
    transformers = hugging_face()
    options = {
        "revision": revision,
        "local_files_only": local_files_only or Path(name).is_dir(),
        "trust_remote_code": False,
    }
    try:
        config = transformers.AutoConfig.from_pretrained(name, **options)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, use_fast=True, **options)
        encoder, report = transformers.AutoModel.from_pretrained(
            name, config=config, use_safetensors=True, output_loading_info=True, **options
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise MTLError(E231(name=name, reason=str(error).strip().splitlines()[0])) from error
    missing = [key for key in report["missing_keys"] if "pooler" not in key]
    if missing or report["mismatched_keys"]:
        raise MTLError(E231(name=name, reason=f"no weights for {', '.join(missing) or report['mismatched_keys']}"))
    if not tokenizer.is_fast:
        raise MTLError(E233(name=name, found=type(tokenizer).__name__))
    specials = _specials(tokenizer)
    text = _cased_as_its_vocabulary(name, tokenizer.backend_tokenizer.to_str(), lowercase)
    return Pretrained(_without_pooler(encoder), _sizes(config), _with_spaces(text), specials)


def _sizes(config: Any) -> Dict[str, Any]:
    """A config as JSON, without where it was read from."""
    kept = json.loads(config.to_json_string(use_diff=False))
    for key in ("_name_or_path", "architectures", "torch_dtype", "transformers_version"):
        kept.pop(key, None)
    return kept


def _specials(tokenizer: Any) -> Dict[str, Any]:
    """before, after: ids around a text; unknown: id of the unknown piece; pad: that of padding."""
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    encoded = tokenizer.backend_tokenizer.encode(["a"], is_pretokenized=True)
    pieces = [i for i, special in enumerate(encoded.special_tokens_mask) if not special]
    pad = tokenizer.pad_token_id or 0
    return {
        "before": encoded.ids[: pieces[0]],
        "after": encoded.ids[pieces[-1] + 1 :],
        "unknown": pad if tokenizer.unk_token_id is None else tokenizer.unk_token_id,
        "pad": pad,
    }


def _cased_as_its_vocabulary(name: str, tokenizer: str, lowercase: Optional[bool]) -> str:
    """Say whether a BERT tokenizer lower-cases. Unless told, one whose vocabulary has upper case does not: a folder
    that does not say makes ``transformers`` lower-case even a cased model's text, whose upper-case pieces are then
    never met."""
    content = json.loads(tokenizer)
    normalizer = content.get("normalizer") or {}
    if "lowercase" not in normalizer:
        return tokenizer
    special = {token["content"] for token in content["added_tokens"]}
    cased = any(piece != piece.lower() for piece in content["model"]["vocab"] if piece not in special)
    if lowercase is None and cased and normalizer["lowercase"]:
        logger.warning(E235(name=name))
        lowercase = False
    if lowercase is not None:
        normalizer["lowercase"] = lowercase
    return json.dumps(content, ensure_ascii=False)


def _with_spaces(tokenizer: str) -> str:
    """Have a byte-level tokenizer (RoBERTa's) read each word as one within a text, after a space: most are published
    without, which with single words are the pieces of a text's first word, or of the inside of one."""
    content = json.loads(tokenizer)
    splitter = content.get("pre_tokenizer") or {}
    for part in (splitter, *splitter.get("pretokenizers", ())):
        if part.get("type") == "ByteLevel":
            part["add_prefix_space"] = True
    return json.dumps(content, ensure_ascii=False)


def _without_pooler(encoder: nn.Module) -> nn.Module:
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder
