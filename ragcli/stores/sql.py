"""Conditions and literals for engines that are asked in a kind of SQL."""

from __future__ import annotations

from collections.abc import Iterable

from ragcli.stores.records import Where


def condition(where: Where | None) -> str | None:
    """The records that may be found, over the columns document, first_page and last_page."""
    if where is None:
        return None
    parts: list[str] = []
    if where.documents is not None:
        numbers = ", ".join(str(int(number)) for number in where.documents)
        parts.append(f"document IN ({numbers})" if numbers else "document < 0")
    if where.pages is not None:
        first, last = where.pages
        parts.append(f"last_page >= {int(first)} AND first_page <= {int(last)}")
    return " AND ".join(parts) or None


def quoted(texts: Iterable[str]) -> str:
    """Texts as SQL literals, with commas between."""
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
