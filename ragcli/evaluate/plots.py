"""Plots as SVG text: bars with intervals, differences by question, where the first hit stood.

Every text is escaped here; colours come from the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, ROW = 640, 180, 150, 22
BINS = ((1, 1), (2, 4), (5, 10), (11, 100))

Bar = tuple[str, float, tuple[float, float] | None]


def bars(rows: Sequence[Bar], title: str, *, most: float = 1.0, digits: int = 3) -> str:
    """Horizontal bars from 0 to `most`, each with the interval around its value if there is one."""
    room, parts = WIDTH - LEFT - 60, []
    for at, (name, value, interval) in enumerate(rows):
        y, long = at * ROW + 4, room * min(value / most, 1) if most else 0
        parts.append(_text(LEFT - 8, y + 12, name, "end"))
        parts.append(f'<rect class="bar" x="{LEFT}" y="{y}" width="{long:.1f}" height="14"/>')
        if interval:
            low, high = (LEFT + room * end / most for end in interval)
            parts.append(_line(low, y + 7, high, y + 7, "interval"))
        parts.append(_text(LEFT + room + 6, y + 12, f"{value:.{digits}f}"))
    return _svg(parts, len(rows) * ROW + 8, title)


def forest(rows: Mapping[str, tuple[float, tuple[float, float], str]], title: str) -> str:
    """Differences with their intervals around a line at 0; rows name (difference, interval, verdict)."""
    reach = max((abs(end) for _, ends, _ in rows.values() for end in ends), default=0) or 1
    middle, room = LEFT + (WIDTH - LEFT - 70) / 2, (WIDTH - LEFT - 70) / 2
    parts = [_line(middle, 0, middle, len(rows) * ROW, "axis")]
    for at, (name, (difference, (low, high), verdict)) in enumerate(rows.items()):
        y = at * ROW + 11
        css = verdict if verdict in ("better", "worse") else "same"
        parts.append(_text(LEFT - 8, y + 5, name, "end"))
        parts.append(_line(middle + room * low / reach, y, middle + room * high / reach, y, css))
        parts.append(
            f'<circle class="{css}" cx="{middle + room * difference / reach:.1f}" cy="{y}" r="4"/>'
        )
        parts.append(_text(WIDTH - 62, y + 5, f"{difference:+.3f}"))
    return _svg(parts, len(rows) * ROW + 8, title)


def waterfall(gaps: Sequence[float], title: str) -> str:
    """The difference of every question, from the greatest loss to the greatest gain."""
    ordered = sorted(gaps)
    wide, middle = WIDTH / max(len(ordered), 1), HEIGHT / 2
    parts = [_line(0, middle, WIDTH, middle, "axis")]
    for at, gap in enumerate(ordered):
        high = abs(gap) * (middle - 4)
        if high:
            top = middle - high if gap > 0 else middle
            css = "better" if gap > 0 else "worse"
            parts.append(
                f'<rect class="{css}" x="{at * wide:.2f}" y="{top:.1f}" width="{max(wide, 0.5):.2f}"'
                f' height="{high:.1f}"/>'
            )
    return _svg(parts, HEIGHT, title)


def first_ranks(ranks: Mapping[str, int | None], title: str) -> str:
    """At how many questions the first thing that was expected stood where."""
    rows: list[Bar] = []
    for low, high in BINS:
        count = sum(rank is not None and low <= rank <= high for rank in ranks.values())
        rows.append((f"rank {low}" if low == high else f"ranks {low} to {high}", count, None))
    deeper = sum(rank is None or rank > BINS[-1][1] for rank in ranks.values())
    rows.append(("not found", deeper, None))
    return bars(rows, title, most=max(len(ranks), 1), digits=0)


def trend(values: Sequence[float], title: str) -> str:
    """A line through values between 0 and 1, oldest first."""
    step = WIDTH / max(len(values) - 1, 1)
    points = [(at * step, HEIGHT - 8 - value * (HEIGHT - 16)) for at, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle class="same" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
    return _svg([f'<polyline class="trend" points="{path}"/>', *dots], HEIGHT, title)


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    inside = "".join(parts)
    label = escape(title, quote=True)
    return (
        f'<figure><figcaption>{label}</figcaption><svg role="img" aria-label="{label}"'
        f' viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">{inside}</svg></figure>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
