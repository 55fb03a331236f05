"""Says what a search cannot find, whatever is asked: what has no vector yet, what a filter leaves out."""

from __future__ import annotations

from ragcli.index.rows import Coverage, Selection
from ragcli.retrieve.options import RetrievalOptions


def out_of_reach(
    coverage: Coverage, options: RetrievalOptions, selection: Selection | None
) -> list[str]:
    """Sentences for a person; none where all that is there can be found."""
    if not coverage.chunks:
        return ["The collection is empty: fill it with ragcli ingest PATH."]
    found = []
    if selection is not None and selection.documents == frozenset():
        found.append("No document fits the filter.")
    if options.mode != "lexical" and coverage.embedded < coverage.chunks:
        share = min(100 * coverage.embedded // coverage.chunks, 99)
        dense = options.mode == "dense"
        others = "cannot be found by meaning" if dense else "are found by words only"
        found.append(
            f"{share} % of chunks have vectors yet: the others {others}. Run ragcli ingest to finish."
        )
    return found
