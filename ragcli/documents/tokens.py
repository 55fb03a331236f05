"""Counts tokens with the embedder's own tokenizer, word by word from memory where that is exact.

Does not split and does not embed. Truncation and padding that a tokenizer file asks for are off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_REMEMBERED_WORDS = 200_000
_BATCH_CHARACTERS = 200_000
# Space to Python, but a control character that BERT's normalizer drops, joining what it parts.
_JOINS_WORDS = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")


class TokenCounter:
    """Token counts of texts. `estimate` is fast, `exact` is what the embedder will see."""

    def __init__(self, tokenizer: str) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.special: int = self._tokenizer.num_special_tokens_to_add(False)
        self._adds_up = _adds_up(tokenizer)
        self.joint = 0 if self._adds_up else 1
        """Tokens that joining two texts with white space can add to the sum of both."""
        self._words: dict[str, int] = {}

    def exact(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with the special tokens that the embedder adds."""
        if not self._adds_up or any(map(_JOINS_WORDS.search, texts)):
            return self._encode(texts, special=True)
        return [tokens + self.special for tokens in self.estimate(texts)]

    def estimate(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text without special tokens: the sum over its words.

        Exact for a BERT tokenizer, which never looks across white space; near for others.
        """
        words = [text.split() for text in texts]
        self._learn({word for text in words for word in text})
        known = self._words
        return [sum(map(known.__getitem__, text)) for text in words]

    def _learn(self, words: set[str]) -> None:
        new = list(words.difference(self._words))
        if len(self._words) + len(new) > _REMEMBERED_WORDS:
            self._words.clear()
            new = list(words)
        self._words.update(zip(new, self._encode(new, special=False), strict=True))

    def _encode(self, texts: Sequence[str], *, special: bool) -> list[int]:
        counts: list[int] = []
        for batch in _batches(texts):
            encoded = self._tokenizer.encode_batch_fast(batch, add_special_tokens=special)
            counts.extend(map(len, encoded))
        return counts


def _batches(texts: Sequence[str]) -> Iterable[list[str]]:
    """Batches of bounded length: an encoding takes several hundred bytes a token."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _adds_up(tokenizer: str) -> bool:
    """Whether the count of a text is the sum over its words: BERT's, which cuts at white space first."""
    described = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    parts = [(described.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
    kind = (described.get("model") or {}).get("type")
    added = [token.get("content", "") for token in described.get("added_tokens") or []]
    return (
        kind == "WordPiece"
        and parts == ["BertNormalizer", "BertPreTokenizer"]
        and not any(len(token.split()) > 1 for token in added)
    )
