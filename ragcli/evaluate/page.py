"""An evaluation as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.

All text of questions, answers and names is escaped, and the page forbids a browser to load or run
anything, so a hostile document cannot reach its reader through a report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from ragcli.evaluate import plots
from ragcli.evaluate.evaluation import Evaluation
from ragcli.evaluate.questions import QuestionSet
from ragcli.evaluate.versus import Comparison

HARDEST = 50

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--paper:#fff;--faint:#6b7480;--bar:#4c7bb5;
--up:#2f8a57;--down:#c0503c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--paper:#151a21;--faint:#97a1ad;--bar:#7aa5da}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;
margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .8rem .2rem 0;text-align:right;vertical-align:top;border-bottom:1px solid #8884}
th:first-child,td:first-child,td.text,th.text{text-align:left;overflow-wrap:anywhere}
p.facts,figcaption{color:var(--faint)}p.verdict{font-size:1.1rem;font-weight:600}figure{margin:1rem 0}
svg{max-width:100%;height:auto}text{font-size:12px;fill:var(--ink)}.bar{fill:var(--bar)}
.interval{stroke:var(--ink);stroke-width:2}.axis{stroke:var(--faint)}rect.better,circle.better{fill:var(--up)}
rect.worse,circle.worse{fill:var(--down)}line.better{stroke:var(--up);stroke-width:2}
line.worse{stroke:var(--down);stroke-width:2}line.same{stroke:var(--faint);stroke-width:2}
circle.same{fill:var(--faint)}.trend{fill:none;stroke:var(--bar);stroke-width:2}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report(
    questions: QuestionSet, found: Evaluation, facts: dict[str, Any], past: Sequence[dict[str, Any]]
) -> str:
    """The page of one evaluation; `past` are remembered ones of the same set, oldest first."""
    parts = [_facts(questions, facts), *_modes(facts["modes"])]
    for mode, measured in found.modes.items():
        if measured.ranks:
            parts.append(plots.first_ranks(measured.ranks, f"Where the first was found: {mode}"))
    if facts["answers"]:
        parts += ["<h2>Answers</h2>", *_figures({"answers": facts["answers"]})]
    parts += _trend(past, found.mode)
    parts += _hardest(questions, found)
    return _page(f"Evaluation of {facts['collection']} on {questions.name}", parts)


def comparison(questions: QuestionSet, compared: Comparison) -> str:
    """The page of a comparison."""
    a, b = compared.a, compared.b
    rows = {
        name: (found.difference, found.interval, found.verdict)
        for name, found in compared.differences.items()
    }
    table = [
        [name, f"{d.a:.3f}", f"{d.b:.3f}", f"{d.difference:+.3f}",
         f"{d.interval[0]:+.3f} to {d.interval[1]:+.3f}", f"{d.p:.3f}", str(d.questions), d.verdict]
        for name, d in compared.differences.items()
    ]  # fmt: skip
    header = ["", a.name, b.name, "difference", "95 % interval", "p", "questions", "verdict"]
    first, second = a.modes[a.mode].values, b.modes[b.mode].values
    parts = [
        _facts(questions, b.system),
        f'<p class="verdict">{escape(compared.verdict)}</p>',
        _table(header, table),
        plots.forest(rows, f"{b.name} against {a.name}: difference and 95 % interval"),
    ]
    if compared.primary in first and compared.primary in second:
        gaps = [
            second[compared.primary][id] - value
            for id, value in first[compared.primary].items()
            if id in second[compared.primary]
        ]
        parts.append(plots.waterfall(gaps, f"Difference of {compared.primary} at each question"))
    parts.append("<h2>Questions that flipped</h2>")
    flips = [
        [flip.item.id, flip.item.text, flip.what, "gained" if flip.gained else "lost",
         _said(flip.a), _said(flip.b)]
        for flip in compared.flips
    ]  # fmt: skip
    parts.append(_table(["id", "question", "what", "", a.name, b.name], flips, text=True))
    return _page(f"{b.name} against {a.name} on {questions.name}", parts)


def _said(value: int | str | None) -> str:
    return "none" if value is None else str(value)


def _facts(questions: QuestionSet, facts: dict[str, Any]) -> str:
    known = {
        "questions": len(questions.items),
        **{name: facts.get(name) for name in ("collection", "chunks", "embedder", "store", "llm")},
    }
    text = " · ".join(f"{name} {value}" for name, value in known.items() if value is not None)
    return f'<p class="facts">{escape(text)}</p>'


def _modes(modes: dict[str, Any]) -> Iterable[str]:
    yield "<h2>Retrieval</h2>"
    yield from _figures(modes)


def _figures(found: dict[str, Any]) -> Iterable[str]:
    names = list(next(iter(found.values()))["measures"])
    if not names:
        yield "<p>Nothing was to be found.</p>"
        return
    rows = []
    for way, figures in found.items():
        spent = figures["latency_ms"]
        values = [f"{figures['measures'][name]:.3f}" for name in names]
        rows.append([way, *values, *(f"{spent[share]:.0f}" for share in ("p50", "p95", "p99"))])
    yield _table(["", *names, "ms", "p95", "p99"], rows)
    for way, figures in found.items():
        rows_of = [(n, v, figures["intervals"][n]) for n, v in figures["measures"].items()]
        yield plots.bars(rows_of, f"{way}, with 95 % intervals")


def _trend(past: Sequence[dict[str, Any]], mode: str) -> Iterable[str]:
    values = [
        (name, value)
        for record in past
        for name, value in list(record["modes"].get(mode, {}).items())[:1]
    ]
    if len({name for name, _ in values}) == 1 and len(values) > 1:
        title = f"{values[0][0]} of {mode}, oldest first: {values[0][1]:.3f} to {values[-1][1]:.3f}"
        yield from ("<h2>Trend</h2>", plots.trend([value for _, value in values], title))


def _hardest(questions: QuestionSet, found: Evaluation) -> Iterable[str]:
    ranks = found.modes[found.mode].ranks
    hard = [item for item in questions.items if item.id in ranks]
    hard.sort(key=lambda item: -(ranks[item.id] or 10_000))
    rows = [[item.id, item.text, _said(ranks[item.id])] for item in hard[:HARDEST]]
    if rows:
        yield f"<h2>Hardest questions ({escape(found.mode)})</h2>"
        yield _table(["id", "question", "rank of the first"], rows, text=True)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, text: bool = False) -> str:
    css = ' class="text"' if text else ""
    head = "".join(f"<th{css}>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td{css}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, parts: Iterable[str]) -> str:
    inside = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{inside}\n</body></html>\n"
    )
