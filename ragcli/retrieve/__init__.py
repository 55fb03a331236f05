"""Finds the chunks that answer a question: filters, both indexes, fusion, duplicates, reasons.

Reads collections and never writes to them; words no answers.
"""
