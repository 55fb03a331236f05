"""How a question becomes a BM25 query: its terms, the rarest of them, and a filter. No files.

Scores are BM25+ (Lv and Zhai, "Lower-Bounding Term Frequency Normalization", CIKM 2011; k1 1.2,
b 0.75, delta 1), summed over the fields by weight: that a text has a term at all counts for more
than how often. Candidates are found by plain BM25, which the index can do without reading every
posting, and then scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ragcli.index import analysis
from ragcli.index.rows import Selection

WEIGHTS = {"text": 1.0, "names": 0.25, "grams": 1.0}
"""An identifier's parts count in full, and the whole of it a quarter more: at full weight SciFact's
training questions lose .005 of nDCG@10, at a quarter nothing."""
K1 = 1.2
DELTA = 1.0
MOST_TERMS = 64

_Weighed = tuple[str, str, int]
"""A field, a term, and how many chunks have it there."""


class Bm25:
    """Asks a tantivy searcher. Any text is a valid question; there is no query language."""

    def __init__(self, schema: Any, analyzer: Any, language: str) -> None:
        self._schema = schema
        self._analyzer = analyzer
        self._language = language

    def search(
        self, searcher: Any, question: str, k: int, allowed: Selection | None
    ) -> list[tuple[int, float]]:
        """The k chunks among those allowed that are best by BM25, with their scores, best first.

        Ties are in order of keys.
        """
        weighed = self._weighed(searcher, question)
        clauses = list(self._counted(weighed))
        if not clauses or k < 1:
            return []
        conditions = [] if allowed is None else list(self._conditions(allowed))
        found = _found(searcher, _query(clauses, conditions), k)
        return self._scored(searcher, weighed, [key for key, _ in found])

    def scores(self, searcher: Any, question: str, keys: Sequence[int]) -> dict[int, float]:
        """The scores of these chunks, of those among them that share a term with the question."""
        return dict(self._scored(searcher, self._weighed(searcher, question), keys))

    def _scored(
        self, searcher: Any, weighed: list[_Weighed], keys: Sequence[int]
    ) -> list[tuple[int, float]]:
        import tantivy

        clauses = [*self._counted(weighed), *self._present(weighed, searcher.num_docs)]
        if not clauses or not keys:
            return []
        among = tantivy.Query.term_set_query(self._schema, "key", list(keys))
        return _found(searcher, _query(clauses, [among]), len(keys))

    def ceiling(self, searcher: Any, question: str) -> float:
        """The score that no text can exceed for this question."""
        count = searcher.num_docs
        return sum(
            WEIGHTS[field] * _rarity(frequency, count) * (K1 + 1 + DELTA)
            for field, _, frequency in self._weighed(searcher, question)
        )

    def _weighed(self, searcher: Any, question: str) -> list[_Weighed]:
        """The rarest terms of a question, each once: those that occur before those that don't."""
        words = analysis.asked_words(question, self._language)
        stems = self._analyzer.analyze(" ".join(words))
        asked = [
            *(("text", term) for term in dict.fromkeys(stems)),
            *(("grams", term) for term in dict.fromkeys(analysis.asked_grams(question))),
        ]
        named = (("names", term) for term in dict.fromkeys([*analysis.names(question), *words]))
        weighed = [(field, term, int(searcher.doc_freq(field, term))) for field, term in asked]
        weighed += [
            (field, term, frequency)
            for field, term in named
            if (frequency := int(searcher.doc_freq(field, term)))
        ]
        weighed.sort(key=lambda found: (found[2] == 0, found[2]))
        return weighed[:MOST_TERMS]

    def _counted(self, weighed: list[_Weighed]) -> Iterator[Any]:
        """A query for each term that scores a text by how often it has it."""
        from tantivy import Query

        for field, term, frequency in weighed:
            if frequency:
                yield Query.boost_query(self._term(field, term), WEIGHTS[field])

    def _present(self, weighed: list[_Weighed], count: int) -> Iterator[Any]:
        """A query for each term that scores a text for having it at all."""
        from tantivy import Query

        for field, term, frequency in weighed:
            if frequency:
                worth = WEIGHTS[field] * _rarity(frequency, count) * DELTA
                yield Query.const_score_query(self._term(field, term), worth)

    def _term(self, field: str, term: str) -> Any:
        from tantivy import Query

        return Query.term_query(self._schema, field, term, index_option="freq")

    def _conditions(self, allowed: Selection) -> Iterator[Any]:
        from tantivy import FieldType, Query

        if allowed.documents is not None:
            yield Query.term_set_query(self._schema, "document", sorted(allowed.documents))
        if allowed.pages is not None:
            first, last = allowed.pages
            kind = FieldType.Unsigned
            yield Query.range_query(self._schema, "first_page", kind, upper_bound=last)
            yield Query.range_query(self._schema, "last_page", kind, lower_bound=first)


def _found(searcher: Any, query: Any, k: int) -> list[tuple[int, float]]:
    found = searcher.search(query, min(k, max(searcher.num_docs, 1)), count=False).hits
    keys = searcher.fast_field_values("key", [address for _, address in found])
    hits = zip(keys, (score for score, _ in found), strict=True)
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))


def _rarity(frequency: int, count: int) -> float:
    return math.log(1 + (max(count - frequency, 0) + 0.5) / (frequency + 0.5))


def _query(clauses: list[Any], conditions: list[Any]) -> Any:
    """What matches any clause and, without a say in the score, all conditions."""
    from tantivy import Occur, Query

    either = Query.boolean_query([(Occur.Should, clause) for clause in clauses])
    if not conditions:
        return either
    among = [(Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions]
    return Query.boolean_query([(Occur.Must, either), *among])
