"""Models on this machine: where they lie, how they are fetched, and the children that compute on them.

What embedders and language models share. Knows neither vectors nor answers.
"""
