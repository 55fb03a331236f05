"""What the tests of readers share: reading bytes, and the lines that a block claims to stand on."""

from __future__ import annotations

import html
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragcli.formats import FORMATS
from ragcli.formats.limits import Limits
from ragcli.types import Block, Parsed

DATA = os.environ.get("RAGCLI_TEST_DATA")
needs_data = pytest.mark.skipif(
    DATA is None, reason="RAGCLI_TEST_DATA names no folder of documents"
)
_WORDS = re.compile(r"\w+")


def read(
    form: str, source: str | bytes, name: str = "file", limits: Limits | None = None
) -> list[Parsed]:
    data = source.encode() if isinstance(source, str) else source
    module = importlib.import_module(FORMATS[form].module)
    return list(module.read(data, name, limits or Limits()))


def only(form: str, source: str | bytes, name: str = "file") -> Parsed:
    (document,) = read(form, source, name)
    return document


def shown(form: str, source: str) -> list[tuple[str, tuple[int, int] | None]]:
    return [(block.text, block.lines) for block in only(form, source).blocks]


def real_files(suffix: str) -> list[Path]:
    found = sorted(Path(DATA or "", "docs").rglob(f"*{suffix}"))
    assert found, f"no {suffix} files under {DATA}"
    return found


def strayed(block: Block, source: list[str]) -> Iterator[tuple[str, str]]:
    """Lines of a block whose words are not, in their order, on the source line that they claim."""
    assert block.lines is not None
    first, last = block.lines
    assert 1 <= first <= last <= len(source)
    told = block.text.split("\n")
    if len(told) == last - first + 1:
        pairs = list(zip(told, source[first - 1 : last], strict=True))
    else:
        pairs = [(block.text, "\n".join(source[first - 1 : last]))]
    for text, line in pairs:
        # Cutting a tag or a link target out of a word joins its halves: compare without gaps.
        words = "".join(_WORDS.findall(html.unescape(text)))
        letters = iter("".join(_WORDS.findall(html.unescape(line))))
        if not all(letter in letters for letter in words):
            yield text, line
