"""Where vectors live: a plug board. A store holds vectors and finds the nearest; it knows no ledger."""

from ragcli.registry import Plug

EMBEDDED = "embedded"
STORES = {
    EMBEDDED: Plug("ragcli.stores.embedded"),
    "pinecone": Plug("ragcli.stores.pinecone", "pinecone", ("pinecone",)),
}
