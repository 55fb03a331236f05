"""The lexical index: BM25 over what is embedded too, kept by tantivy, derived from the ledger.

Follows the change log: the position it has reached is part of each commit, so that a crash
neither loses nor repeats a change. Scores are BM25+ (see bm25.py) over title, headings and text as
one: as fields of their own, weighed and summed, they found less (nDCG@10 .674 against .689 on
SciFact's training questions, .823 against .836 on SQuAD).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ragcli.errors import IndexDamaged, StorageError
from ragcli.index import analysis, fields, segments
from ragcli.index.bm25 import Bm25
from ragcli.index.following import follow
from ragcli.index.ledger import Ledger
from ragcli.index.rows import Change, Selection

HEAP = 30_000_000
BATCH = 2000
COMMIT = 20_000


class LexicalIndex:
    """One tantivy index in a folder of its own."""

    def __init__(self, folder: Path, language: str = "english") -> None:
        self.folder = folder
        self.analysis = f"{language}/{analysis.VERSION}"
        self.position = 0
        self._analyzer = fields.analyzer(language)
        self._schema = fields.schema()
        self._bm25 = Bm25(self._schema, self._analyzer, language)
        self._index: Any = None
        self._shadow: tempfile.TemporaryDirectory[str] | None = None

    def open(self, *, busy: bool = False) -> None:
        """Open what is there; raises IndexDamaged when it is missing or not what was written.

        While another process writes (`busy`) the files change under the reader, and only what
        tantivy itself checks is checked.
        """
        if segments.check_stamp(self.folder, self.analysis, busy=busy):
            self._load()
            return
        segments.verify(self.folder)
        self._load()
        with contextlib.suppress(OSError):
            segments.write_stamp(self.folder, self.analysis, self.position, clean=True)

    def create(self) -> None:
        """Throw away what is there and begin anew, at position 0."""
        self.close()
        self.position = 0
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(mode=0o700, parents=True)
            self.folder.chmod(0o700)
            segments.write_stamp(self.folder, self.analysis, self.position, clean=False)
            with _in_words(self.folder):
                self._open_index(self.folder)
                self._load()
            segments.write_stamp(self.folder, self.analysis, self.position, clean=True)
        except OSError as error:
            raise _storage(self.folder, error) from error

    def close(self) -> None:
        """Let go of the files."""
        self._index = None
        if self._shadow is not None:
            self._shadow.cleanup()
            self._shadow = None

    def reload(self) -> None:
        """See what another process has committed since."""
        self._load()

    def catch_up(self, ledger: Ledger) -> None:
        """Apply what the ledger has logged since; only the one writer may call this."""
        goal = follow(self.position, ledger, segments.unsound)
        if self.position == goal:
            return
        try:
            segments.write_stamp(self.folder, self.analysis, self.position, clean=False)
            with _in_words(self.folder):
                self._write(ledger, goal)
            self._keep_private()
            segments.write_stamp(self.folder, self.analysis, self.position, clean=True)
        except OSError as error:
            raise _storage(self.folder, error) from error

    def rebuild(self, ledger: Ledger) -> None:
        """Throw the index away and build it from the ledger alone."""
        self.create()
        self.catch_up(ledger)

    def verify(self) -> None:
        """Read every file; raises IndexDamaged when one is not what was written."""
        segments.verify(self.folder)

    def count(self) -> int:
        """How many chunks are indexed."""
        return max(int(self._index.searcher().num_docs) - (1 if self.position else 0), 0)

    def search(
        self, question: str, k: int, allowed: Selection | None = None
    ) -> list[tuple[int, float]]:
        """The k chunks that share the most telling terms with a question: key and score, best first.

        Any text is a valid question; there is no query language. `allowed` filters before the
        top k are taken. Ties are in order of keys.
        """
        return self._bm25.search(self._index.searcher(), question, k, allowed)

    def scores(self, question: str, keys: Sequence[int]) -> dict[int, float]:
        """The BM25 scores of these chunks, of those among them that share a term with a question."""
        return self._bm25.scores(self._index.searcher(), question, keys)

    def ceiling(self, question: str) -> float:
        """The BM25 score that no text can exceed for this question.

        Words that no chunk has count most: a question of unknown words is far from answered.
        """
        return self._bm25.ceiling(self._index.searcher(), question)

    def stems(self, text: str) -> list[str]:
        """The terms of a text as they are indexed, in order."""
        return [*self._analyzer.analyze(" ".join(analysis.words(text))), *analysis.grams(text)]

    def _write(self, ledger: Ledger, goal: int) -> None:
        writer = self._index.writer(HEAP, 1)
        try:
            reached = written = self.position
            while changes := ledger.changes(reached, BATCH):
                self._apply(writer, ledger, changes)
                reached = changes[-1].seq
                if reached - written >= COMMIT:
                    written = self._commit(writer, written, reached)
            self._commit(writer, written, max(reached, goal))
        finally:
            writer.wait_merging_threads()
        self._load()

    def _apply(self, writer: Any, ledger: Ledger, changes: list[Change]) -> None:
        import tantivy

        for words in ledger.words([change.chunk for change in changes if change.op == "text"]):
            writer.add_document(fields.document(words))
        gone = [change.chunk for change in changes if change.op == "gone"]
        if gone:
            writer.delete_documents_by_query(
                tantivy.Query.term_set_query(self._schema, "key", gone)
            )

    def _commit(self, writer: Any, before: int, position: int) -> int:
        """Commit together with the position reached, which is a document of its own."""
        import tantivy

        writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "position", before))
        mark = tantivy.Document()
        mark.add_unsigned("position", position)
        writer.add_document(mark)
        writer.commit()
        return position

    def _load(self) -> None:
        import tantivy

        self.close()
        with _in_words(self.folder, IndexDamaged):
            self._index = self._open_index(self._readable())
            searcher = self._index.searcher()
            marks = searcher.search(tantivy.Query.exists_query("position"), 2, count=False).hits
            if len(marks) > 1:
                raise segments.unsound("it does not know how far it has read")
            addresses = [address for _, address in marks]
            positions = searcher.fast_field_values("position", addresses)
            self.position = positions[0] if positions else 0

    def _open_index(self, folder: Path) -> Any:
        import tantivy

        index = tantivy.Index(self._schema, path=str(folder))
        index.register_tokenizer("stemmed", self._analyzer)
        index.config_reader("manual")
        return index

    def _readable(self) -> Path:
        """The folder, or where tantivy may not put its lock files, a folder of links to its files."""
        if os.access(self.folder, os.W_OK):
            return self.folder
        self._shadow = tempfile.TemporaryDirectory(prefix="ragcli-")
        shadow = Path(self._shadow.name)
        for name in (segments.META, ".managed.json", *segments.segment_files(self.folder)):
            (shadow / name).symlink_to((self.folder / name).absolute())
        return shadow

    def _keep_private(self) -> None:
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(0o600)


@contextlib.contextmanager
def _in_words(
    folder: Path, kind: type[IndexDamaged] | type[StorageError] = StorageError
) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if kind is IndexDamaged:
            raise segments.unsound(str(error)) from error
        raise _storage(folder, error) from error


def _storage(folder: Path, error: Exception) -> StorageError:
    return StorageError(
        f"The lexical index in {folder} cannot be written ({error}).",
        "Free some space or check the permissions, then run the command again.",
    )
