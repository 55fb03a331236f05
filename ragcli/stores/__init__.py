"""Where vectors live: a plug board. A store holds vectors and finds the nearest; it knows no ledger."""

from ragcli.registry import Plug

EMBEDDED = "embedded"
STORES = {
    EMBEDDED: Plug("ragcli.stores.embedded"),
    "pinecone": Plug("ragcli.stores.pinecone", "pinecone", ("pinecone",)),
    "chroma": Plug("ragcli.stores.chroma", "chroma", ("chromadb",)),
    "qdrant": Plug("ragcli.stores.qdrant", "qdrant", ("qdrant_client",)),
    "weaviate": Plug("ragcli.stores.weaviate", "weaviate", ("weaviate",)),
    "pgvector": Plug("ragcli.stores.pgvector", "pgvector", ("pg8000",)),
    "milvus": Plug("ragcli.stores.milvus", "milvus", ("pymilvus",)),
    "lancedb": Plug("ragcli.stores.lancedb", "lancedb", ("lancedb",)),
    "clickhouse": Plug("ragcli.stores.clickhouse", "clickhouse", ("clickhouse_connect",)),
}
