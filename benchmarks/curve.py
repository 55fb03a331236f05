"""Draws the trade-off of answering against staying silent as a small SVG, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 300, 46, 40, 20


def draw(file: Path, points: Sequence[Mapping[str, float]], default: Mapping[str, float]) -> None:
    """Share of questions answered (across) against right answers and false ones (up), 0 to 100 %."""
    right = " ".join(f"{_x(p['answered'])},{_y(p['right'])}" for p in points)
    false = " ".join(f"{_x(p['answered'])},{_y(p['false'])}" for p in points)
    grid = "".join(_grid(step / 5) for step in range(6))
    marks = "".join(
        f'<circle cx="{_x(default["answered"])}" cy="{_y(default[key])}" r="4" fill="{colour}"/>'
        for key, colour in (("right", "#2a7"), ("false", "#c43"))
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{grid}'
        f'<polyline points="{right}" fill="none" stroke="#2a7" stroke-width="2"/>'
        f'<polyline points="{false}" fill="none" stroke="#c43" stroke-width="2"/>{marks}'
        f'<text x="{LEFT + 8}" y="{TOP + 14}" fill="#2a7">right answers, of those given</text>'
        f'<text x="{LEFT + 8}" y="{TOP + 30}" fill="#c43">answered although the passage was taken away</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">share of answerable questions answered (dots: default)</text>'
        "</svg>\n",
        encoding="utf-8",
    )


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - 14), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def _grid(share: float) -> str:
    x, y = _x(share), _y(share)
    return (
        f'<line x1="{_x(0)}" y1="{y}" x2="{_x(1)}" y2="{y}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
        f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{share:.0%}</text>'
    )
