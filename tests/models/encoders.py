"""Tiny Hugging Face encoders with random weights, as folders."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import BertConfig, BertModel, BertTokenizerFast, RobertaConfig, RobertaModel, RobertaTokenizerFast

from .parts import SENTENCES

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "gene", "cancer", "causes", "of", "protein", "-", "##ma", "as", "##th"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


def tiny_bert(folder: Path, cased: bool = False, positions: int = 64, **sizes: Any) -> Path:
    """A BERT whose word pieces are a few words and single letters."""
    letters = LETTERS + (LETTERS.upper()[:26] if cased else "")
    pieces = [*SPECIAL, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=not cased).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(pieces), max_position_embeddings=positions, **{**SIZES, **sizes})
    BertModel(config).save_pretrained(folder)
    return folder


def tiny_roberta(folder: Path, positions: int = 66) -> Path:
    """A RoBERTa over bytes: a word has a piece a byte but for some that often stand together."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = ByteLevelBPETokenizer(add_prefix_space=True)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(SENTENCES * 3, vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.save_model(str(folder))
    RobertaTokenizerFast.from_pretrained(folder, add_prefix_space=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=positions, **SIZES)
    RobertaModel(config).save_pretrained(folder)
    return folder
