"""Turns texts into token ids exactly as the model was trained on them, and says which were cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ragcli.embedders.card import Card, refused

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Described(Protocol):
    """What is known of a model before its tokenizer is opened."""

    @property
    def model(self) -> str:
        """The name of the model."""
        ...

    @property
    def tokenizer(self) -> Path:
        """Its `tokenizer.json`."""
        ...


class TokenReader:
    """The model's own tokenizer, cutting at the model's own length.

    `tokenizer.json` may hold a truncation and a padding from whoever saved it; both are replaced.
    """

    def __init__(self, card: Card) -> None:
        self._tokenizer = open_tokenizer(card)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=card.max_tokens)
        if card.lower_case:
            _lower(self._tokenizer)

    def read(self, texts: list[str]) -> tuple[list[list[int]], list[int]]:
        """Token ids of each text, special tokens included, and the positions of texts cut to fit."""
        encodings = self._tokenizer.encode_batch_fast([sound(text) for text in texts])
        cut = [i for i, encoding in enumerate(encodings) if encoding.overflowing]
        return [encoding.ids for encoding in encodings], cut


def open_tokenizer(card: Described) -> Tokenizer:
    """The model's `tokenizer.json`; raises ModelError when it is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(card.tokenizer))
    except Exception as error:  # the library raises nothing narrower
        raise refused(card.model, "its tokenizer.json cannot be read") from error


def sound(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes; arguments of commands hold some."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _lower(tokenizer: Tokenizer) -> None:
    from tokenizers import normalizers

    kept = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *kept])
