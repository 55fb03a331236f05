"""ragcli answers questions from a person's own documents, with page or line."""

__version__ = "0.1.0"
