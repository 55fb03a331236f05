"""Documents: parse files in children that can be killed, and split them into chunks that know their place.

Knows nothing of indexes or embeddings; a tokenizer file is all it needs of the embedder.
"""
