"""Adapts the embedder to a corpus, and shows on held-out questions whether it became better.

Reads training data, splits it by document, trains in a child process, measures before and after
in the full corpus, and keeps the tuned model only if it is better. Shows nothing by itself.
"""
