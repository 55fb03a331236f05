"""What a collection knows: the ledger, which is the truth, and the two indexes derived from it.

Knows nothing of files on the way in, of questions on the way out, or of how text is embedded.
"""
