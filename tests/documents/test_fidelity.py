"""Every sentence of a generated file is found at the very line, or on the very page, it was written to.

The whole way is walked: a real file, a parsing child, its reader, the splitter, and `place_of`.
"""

from __future__ import annotations

import csv
import html
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import docx
import pytest
from docx.enum.text import WD_BREAK
from reportlab.pdfgen.canvas import Canvas

from ragcli.documents.parse import ParseRequest, ParserPool
from ragcli.documents.split import SplitterOptions
from ragcli.types import Place, SplitDocument, place_of

VERBS = ["carries", "follows", "leaves", "watches", "remembers", "outruns", "forgives"]
THINGS = ["the old ferry", "a stone bridge", "3.5 t of coal", "Dr. Grimes", "the U.S. mail"]


@dataclass
class Written:
    """Lines as they are written, and where each sentence stands in them."""

    lines: list[str] = field(default_factory=list)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)

    def line(self, text: str = "", tells: str = "") -> None:
        self.lines.append(text)
        if tells:
            self.told[tells] = (len(self.lines), len(self.lines))

    def wrapped(self, sentences: list[str], dice: random.Random, width: int = 60) -> None:
        """A paragraph broken into lines at some words, as people type it."""
        lines = [""]
        first = len(self.lines) + 1
        for sentence in sentences:
            shown = ""
            start = None
            for word in sentence.split():
                if len(lines[-1]) > width - dice.randrange(30):
                    lines.append("")
                    shown += "\n" if shown else ""
                elif lines[-1]:
                    lines[-1] += " "
                    shown += " " if shown else ""
                lines[-1] += word
                shown += word
                start = start or first + len(lines) - 1
            assert start is not None
            self.told[shown] = (start, first + len(lines) - 1)
        self.lines += lines


def sentences(dice: random.Random, count: int) -> Iterator[str]:
    for n in range(count):
        length = dice.randrange(1, 5)
        deeds = ", ".join(f"{dice.choice(VERBS)} {dice.choice(THINGS)}" for _ in range(length))
        yield f"Character no{n:04} {deeds} at dawn."


def paragraphs(dice: random.Random, count: int) -> Iterator[list[str]]:
    rest = list(sentences(dice, count))
    while rest:
        size = dice.randrange(1, 12)
        yield rest[:size]
        del rest[:size]


def text_file(dice: random.Random) -> Written:
    written = Written()
    for paragraph in paragraphs(dice, 400):
        written.wrapped(paragraph, dice)
        for _ in range(dice.randrange(1, 4)):
            written.line()
    return written


def markdown_file(dice: random.Random) -> Written:
    written = Written(["---", "title: A tale", "---", "", "# A tale", ""])
    for n, paragraph in enumerate(paragraphs(dice, 500)):
        kind = dice.randrange(6)
        if kind == 0:
            written.line("#" * dice.randrange(2, 5) + f" Part {n}")
            written.line()
        if kind in (0, 1, 2):
            written.wrapped(paragraph, dice)
        elif kind == 3:
            for sentence in paragraph:
                written.line(f"{dice.choice('-*')} {sentence}", sentence)
        elif kind == 4:
            written.line("| who | what |")
            written.line("|-----|------|")
            for sentence in paragraph:
                written.line(f"| {n} | {sentence} |", sentence)
        else:
            written.line("```sh")
            for sentence in paragraph:
                written.line(f"  echo {sentence}", f"echo {sentence}")
            written.line("```")
        written.line()
    return written


def html_file(dice: random.Random) -> Written:
    written = Written(["<!doctype html>", "<html><head><title>A tale</title>"])
    written.line("<style>p { color: red }</style></head><body>")
    for n, paragraph in enumerate(paragraphs(dice, 300)):
        written.line(f"<h{1 + n % 3}>Part {n}</h{1 + n % 3}>")
        for sentence in paragraph:
            tag = dice.choice(["p", "li", "blockquote", "div"])
            marked = html.escape(sentence).replace("dawn", "<b>dawn</b>")
            written.line(f"  <{tag}>{marked}</{tag}>", sentence)
            written.lines += [""] * dice.randrange(2)
    return written


def csv_file(dice: random.Random) -> Written:
    written = Written()
    written.line("number,deed,remark")
    for n, sentence in enumerate(sentences(dice, 300)):
        remark = "none" if n % 7 else "two\nlines"
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow([n, sentence, remark])
        first = len(written.lines) + 1
        written.lines += out.getvalue().split("\n")
        written.told[sentence] = (first, first)
    return written


def jsonl_file(dice: random.Random) -> Written:
    written = Written()
    for n, sentence in enumerate(sentences(dice, 300)):
        record = {"_id": f"r{n}", "title": f"Record {n}", "text": sentence}
        written.line(json.dumps(record), sentence)
    return written


def code_file(dice: random.Random) -> Written:
    written = Written(['"""A module."""', ""])
    for n, paragraph in enumerate(paragraphs(dice, 300)):
        written.line(f"def part_{n}():")
        for sentence in paragraph:
            written.line(f"    # {sentence}", sentence)
        written.line("    return None")
        written.lines += ["", ""]
    return written


@pytest.fixture(scope="module")
def read(minilm: str) -> Iterator[Callable[[Path], list[SplitDocument]]]:
    options = SplitterOptions(minilm, 128)
    with ParserPool(options, jobs=1, timeout_s=60, memory_mb=1500, text_mb=20) as pool:

        def read(path: Path) -> list[SplitDocument]:
            return list(next(pool.parse([ParseRequest(str(path), path.name)])).documents())

        yield read


def places(documents: list[SplitDocument], sentence: str) -> list[Place]:
    """Where a sentence is found, in every chunk that holds it."""
    return [
        place_of(chunk.spans, at, at + len(sentence))
        for document in documents
        for chunk in document.chunks
        if (at := chunk.text.find(sentence)) >= 0
    ]


LINED = {
    "tale.txt": text_file,
    "tale.md": markdown_file,
    "tale.html": html_file,
    "tale.csv": csv_file,
    "tale.jsonl": jsonl_file,
    "tale.py": code_file,
}


@pytest.mark.parametrize("name", LINED)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_every_sentence_is_found_at_its_lines(
    read: Callable[[Path], list[SplitDocument]], tmp_path: Path, name: str, newline: str
) -> None:
    written = LINED[name](random.Random(name))
    path = tmp_path / name
    path.write_bytes((newline.join(written.lines) + newline).encode())
    documents = read(path)
    assert len(documents) > 1 or len(documents[0].chunks) > 10
    assert len(written.told) >= 300
    found = {
        sentence: [place.lines for place in places(documents, sentence)]
        for sentence in written.told
    }
    assert found == {sentence: [lines] for sentence, lines in written.told.items()}


def pdf_file(path: Path, pages: list[list[str]]) -> None:
    canvas = Canvas(str(path))
    for page in pages:
        for n, sentence in enumerate(page):
            canvas.setFont("Helvetica", 9)
            canvas.drawString(50, 780 - 30 * n, sentence)
        canvas.showPage()
    canvas.save()


def docx_file(path: Path, pages: list[list[str]]) -> None:
    document = docx.Document()
    for n, page in enumerate(pages):
        if n:
            document.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)
        document.add_heading(f"Part {n + 1}", level=1 + n % 2)
        for sentence in page:
            document.add_paragraph(sentence)
    document.save(str(path))


@pytest.mark.parametrize(("name", "write"), [("tale.pdf", pdf_file), ("tale.docx", docx_file)])
def test_every_sentence_is_found_on_its_page(
    read: Callable[[Path], list[SplitDocument]],
    tmp_path: Path,
    name: str,
    write: Callable[[Path, list[list[str]]], None],
) -> None:
    dice = random.Random(name)
    pages = [[s for s in page if len(s) < 110] for page in paragraphs(dice, 400)]
    pages = [page for page in pages if page]
    write(tmp_path / name, pages)
    documents = read(tmp_path / name)
    expected = {sentence: n + 1 for n, page in enumerate(pages) for sentence in page}
    assert len(expected) > 200 and len(pages) > 30
    found = {
        sentence: [place.page for place in places(documents, sentence)] for sentence in expected
    }
    assert found == {sentence: [page] for sentence, page in expected.items()}
