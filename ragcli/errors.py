"""The family tree of errors. Each has a stable code for scripts and, where there is one, the fix to type.

RagcliError                    exit 1: it failed
├── UsageError                 exit 2: what was typed or configured is wrong
│   ├── ConfigError            a setting, a profile or a configuration file
│   ├── MissingExtra           a package that this choice needs is not installed
│   ├── MissingKey             a provider needs a key, and its variable holds none
│   └── FingerprintMismatch    the collection was built with another embedder or splitter
├── CollectionMissing          exit 2: nothing was ingested yet
├── CollectionBusy             another process is writing to the collection
├── CollectionDamaged          the ledger is damaged
│   └── IndexDamaged           a derived index is missing or damaged: it is rebuilt from the ledger
├── ModelError                 a model cannot be found, loaded or verified, or answers with an error
│   ├── KeyRefused             the provider does not accept the key
│   ├── RateLimited            the provider wants fewer requests, or the account is used up
│   └── ContextTooLong         the prompt has more tokens than the model reads
├── NetworkError               a host cannot be reached, or --offline forbids it
├── StoreError                 a vector store elsewhere is busy, full, or refuses
├── StorageError               disk full, read-only, no permission
└── ParseError                 one document cannot be read; the run goes on
    └── Unsupported            it is of a kind, or size, that is not read at all: skipped

A person's mistake is one of these. Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations


class RagcliError(Exception):
    """A failure that a person can understand: one sentence, and the fix to type."""

    code = "failed"
    exit_code = 1

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(RagcliError):
    """What was typed is wrong."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A setting, a profile or a configuration file is wrong."""

    code = "config"


class MissingExtra(UsageError):
    """A package that the chosen plug needs is not installed."""

    code = "missing-extra"


class MissingKey(UsageError):
    """A provider needs a key, and the variable that should hold it holds none."""

    code = "missing-key"


class FingerprintMismatch(UsageError):
    """The collection was built with another embedder or splitter than the one configured."""

    code = "fingerprint"


class CollectionMissing(RagcliError):
    """The collection does not exist yet, or nothing is in it."""

    code = "no-collection"
    exit_code = 2


class CollectionBusy(RagcliError):
    """Another process is writing to the collection."""

    code = "busy"


class CollectionDamaged(RagcliError):
    """The ledger itself is damaged and cannot be rebuilt from anything else."""

    code = "damaged"


class IndexDamaged(CollectionDamaged):
    """A derived index is missing or not what was written; it can be rebuilt from the ledger."""


class ModelError(RagcliError):
    """A model cannot be found, loaded or verified, or answers with an error."""

    code = "model"


class KeyRefused(ModelError):
    """The provider does not accept the key."""

    code = "key-refused"


class RateLimited(ModelError):
    """The provider wants fewer requests, or the account has nothing left."""

    code = "rate-limit"


class ContextTooLong(ModelError):
    """The prompt has more tokens than the model reads."""

    code = "context-too-long"


class NetworkError(RagcliError):
    """A host cannot be reached, or may not be."""

    code = "network"


class StoreError(RagcliError):
    """A vector store elsewhere is busy or full, or refuses what it is asked for."""

    code = "store"


class StorageError(RagcliError):
    """The disk is full, read-only or not ours to write."""

    code = "storage"


class ParseError(RagcliError):
    """One document cannot be read; `message` is the reason shown beside its path."""

    code = "parse"


class Unsupported(ParseError):
    """A file of a kind or size that is not read at all; it is skipped rather than failed."""

    code = "unsupported"
