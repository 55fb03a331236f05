"""Packs pieces into chunks: each within the room, near equal in size, cut where it costs least.

Pure functions over plain data. A text that needs n chunks becomes n of about the same size rather
than full ones and a tiny rest; among the cuts that fit, the one is made whose price and distance
from the ideal size together are least. Linear: what is looked at beyond a cut fits into one chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragcli.documents.pieces import Piece


def pack(
    pieces: Sequence[Piece], room: int, headers: Mapping[str, int], overlap: int = 0
) -> list[list[Piece]]:
    """Group pieces, in order, into chunks of at most `room` tokens each.

    `headers` are the tokens of each table header, which stands again above the first of its rows
    in a chunk. A piece that is longer than the room is a chunk of its own. With `overlap`, a chunk
    begins with those last pieces of the one before that have at most so many tokens together.
    """
    chunks: list[list[Piece]] = []
    rest = sum(piece.cost for piece in pieces)
    start = done = 0
    while done < len(pieces):
        end = _end(pieces, start, done, rest, room, headers)
        chunks.append(list(pieces[start:end]))
        if end == len(pieces):
            break
        following = _back(pieces, start, end, min(overlap, room - pieces[end].cost))
        rest -= sum(piece.cost for piece in pieces[start:following])
        start, done = following, end
    return chunks


def _end(
    pieces: Sequence[Piece],
    start: int,
    done: int,
    rest: int,
    room: int,
    headers: Mapping[str, int],
) -> int:
    """Where the chunk that begins at `start` ends best; always beyond `done`."""
    repeated = headers.get(pieces[start].block.header or "", 0)
    ideal = _ideal(rest, room - repeated) + repeated
    best, least = done + 1, float("inf")
    size = 0
    for end in range(start, len(pieces)):
        if end > done:
            off = abs(size - ideal) / ideal + pieces[end].price
            if off < least:
                best, least = end, off
        size += pieces[end].cost + _header_cost(pieces, start, end, headers)
        if size > room:
            return best
    return len(pieces)


def _ideal(rest: int, room: int) -> float:
    """The size of each of the fewest chunks that hold the rest."""
    room = max(room, 1)
    return max(rest, 1) / max(-(-rest // room), 1)


def _header_cost(pieces: Sequence[Piece], start: int, at: int, headers: Mapping[str, int]) -> int:
    header = pieces[at].block.header
    if header is None or (at > start and pieces[at - 1].block.header == header):
        return 0
    return headers.get(header, 0)


def _back(pieces: Sequence[Piece], start: int, end: int, overlap: int) -> int:
    """Where the next chunk begins so that it repeats at most `overlap` tokens of this one."""
    first = end
    while first - 1 > start and pieces[first - 1].cost <= overlap:
        first -= 1
        overlap -= pieces[first].cost
    return first
