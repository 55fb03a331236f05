"""What models at the end of a network connection share: keys, addresses, patience and errors.

Sends nothing by itself and imports no vendor's package; the plug boards of language models and of
embedders stand on it.
"""
