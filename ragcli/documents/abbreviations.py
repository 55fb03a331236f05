"""Words whose full stop does not end a sentence. Data only."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALWAYS = _words(
    "mr mrs ms mx dr prof st sen rep gov gen col capt lt sgt rev hon messrs mme mlle sra "
    "e.g eg i.e ie cf vs viz approx resp incl excl fig figs eq eqs ref refs tab "
    "z.b d.h u.a bzw vgl ggf ca bspw sog evtl usw.z hr fr dipl "
    "p.ex av bd núm sr ing dott sig"
)
"""Titles, and words that always lead on to another."""

BEFORE_NUMBER = _words(
    "no nos nr n p pp pg vol vols art sec sect ch chap op ver v abs s bl par z kap § "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
"""Words that lead on to a number, and end a sentence otherwise."""

USUALLY = _words(
    "etc al inc ltd co corp llc jr sr bros dept est ave blvd rd mt ft min max avg "
    "ph.d m.d b.sc m.sc b.a m.a a.m p.m am.s usw u.s u.k u.n e.u d.c"
)
"""Words that end a sentence only where a common opening word follows."""

STARTERS = _words(
    "the a an in on at it its he she they we you i this that these those there then when while "
    "if as for from by to but and or so however although after before since because our his her "
    "their my your who what where why how not no is are was were do does did can may "
    "der die das ein eine es er sie wir ich im in am auf le la les un une il elle el los las"
)
"""Common words that open a sentence, lower case."""

MONTHS = _words(
    "januar jänner februar märz april mai juni juli august september oktober november dezember "
    "jahrhundert"
)
"""What follows an ordinal such as `3.` in German."""
