"""Counts tokens with the model's own tokenizer, in this process, without transformers."""

from __future__ import annotations

from collections.abc import Callable

from ragcli.errors import ModelError
from ragcli.llms.huggingface_card import Card


def counter(card: Card) -> Callable[[str], int]:
    """A function from a text to its number of tokens, special tokens at its ends left out.

    Raises ModelError for a tokenizer.json that cannot be read.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(card.tokenizer))
    except (
        Exception
    ) as error:  # the library raises bare Exception for whatever is wrong in the file
        raise ModelError(
            f"The tokenizer.json of {card.model} cannot be read: {error}.",
            "Fetch or save the model again.",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
