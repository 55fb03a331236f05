"""Groups the blocks of a document by the heading that they stand under.

Three rules. A section is a run of blocks with the same heading path. A heading is part of the text
only where the path shown with the chunk does not say it, so it is never said twice nor lost.
Sections that are tiny are taken together with neighbours that are tiny too, where they are
siblings or parent and child; the path is then what they have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ragcli.documents.pieces import Piece
from ragcli.types import Block

Path = tuple[str, ...]


@dataclass(slots=True)
class Section:
    """Blocks under one heading path; `headings` are the heading blocks that opened it."""

    path: Path
    headings: list[Piece] = field(default_factory=list)
    body: list[Piece] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Tokens of the headings and the body together."""
        return sum(piece.cost for piece in (*self.headings, *self.body))


@dataclass(slots=True)
class Group:
    """Sections that are split together, and the path that holds for all of them."""

    sections: list[Section]
    path: Path

    def pieces(self, shown: Path) -> list[Piece]:
        """The pieces in order, with those headings that the `shown` part of the path does not say."""
        said = set(_prefixes(self.path, shown))
        return [
            piece
            for section in self.sections
            for piece in (
                *(head for head in section.headings if head.block.heading not in said),
                *section.body,
            )
        ]


def sections(pieces: Iterable[Piece]) -> Iterator[Section]:
    """The sections of a document, in order; a heading that nothing stands under is one of its own."""
    current: Section | None = None
    pending: list[Piece] = []
    for piece in pieces:
        path = piece.block.heading
        if _is_heading(piece.block):
            if current is not None:
                yield current
                current = None
            yield from _bare(pending, path)
            pending = [head for head in pending if _leads_to(head, path)] + [piece]
        elif current is None or current.path != path:
            if current is not None:
                yield current
            yield from _bare(pending, path)
            current = Section(path, [head for head in pending if _leads_to(head, path)], [piece])
            pending = []
        else:
            current.body.append(piece)
    if current is not None:
        yield current
    yield from _bare(pending, None)


def groups(found: Iterable[Section], tiny: int, room: int) -> Iterator[Group]:
    """Sections on their own, or together with their neighbours where all have at most `tiny` tokens."""
    group: Group | None = None
    size = 0
    for section in found:
        cost = section.cost
        if group is not None:
            last = group.sections[-1]
            if cost <= tiny and size + cost <= room and last.cost <= tiny and _near(last, section):
                group.sections.append(section)
                group.path = _common(group.path, section.path)
                size += cost
                continue
            yield group
        group, size = Group([section], section.path), cost
    if group is not None:
        yield group


def _is_heading(block: Block) -> bool:
    return block.kind == "heading" and block.heading[-1:] == (block.text.strip(),)


def _leads_to(head: Piece, path: Path | None) -> bool:
    own = head.block.heading
    return path is not None and path[: len(own)] == own


def _bare(pending: list[Piece], path: Path | None) -> Iterator[Section]:
    """A section of the headings that do not lead to `path`: their own lines are all its text."""
    bare = [head for head in pending if not _leads_to(head, path)]
    if bare:
        yield Section(bare[-1].block.heading[:-1], bare)


def _near(one: Section, other: Section) -> bool:
    deepest = max(len(one.path), len(other.path))
    return len(_common(one.path, other.path)) >= deepest - 1


def _common(one: Path, other: Path) -> Path:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return one[:count]


def _prefixes(path: Path, shown: Path) -> Iterator[Path]:
    """The heading paths that end in a heading of `shown`, which is the inner end of `path`."""
    for length in range(len(path) - len(shown) + 1, len(path) + 1):
        if path[length - 1] == shown[length - 1 - len(path) + len(shown)]:
            yield path[:length]
