"""Measures what retrieval and answers are worth on questions whose answers are known.

Reads question sets, matches hits and citations with what a question expects, computes the
measures of the field per question, compares two runs with paired tests, and writes question sets
from a collection. Searches and answers only through the rooms below; shows nothing by itself.
"""
