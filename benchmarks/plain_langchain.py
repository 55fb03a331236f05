"""What a user would write instead of ragcli: LangChain's loaders, splitter, embeddings and Chroma.

python benchmarks/plain_langchain.py ingest FOLDER DATABASE MODEL CHUNK_CHARACTERS
python benchmarks/plain_langchain.py query DATABASE MODEL QUESTION

Prints one line of JSON. It is a peer to measure against and no part of the program.
"""

from __future__ import annotations

import json
import sys
import time


def ingest(folder: str, database: str, model: str, characters: str) -> dict[str, float]:
    """Load, split, embed and store every Markdown file below `folder`."""
    from langchain_chroma import Chroma
    from langchain_community.document_loaders import DirectoryLoader, TextLoader
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    started = time.perf_counter()
    documents = DirectoryLoader(folder, glob="**/*.md", loader_cls=TextLoader).load()
    splitter = RecursiveCharacterTextSplitter(chunk_size=int(characters), chunk_overlap=0)
    chunks = splitter.split_documents(documents)
    embeddings = HuggingFaceEmbeddings(model_name=model)
    store = Chroma(persist_directory=database, embedding_function=embeddings)
    for start in range(0, len(chunks), 5000):
        store.add_documents(chunks[start : start + 5000])
    return {
        "chunks": len(chunks),
        "characters": sum(len(chunk.page_content) for chunk in chunks) / max(len(chunks), 1),
        "seconds": time.perf_counter() - started,
    }


def query(database: str, model: str, question: str) -> dict[str, int]:
    """Open the store and find the four nearest chunks."""
    from langchain_chroma import Chroma
    from langchain_huggingface import HuggingFaceEmbeddings

    store = Chroma(
        persist_directory=database, embedding_function=HuggingFaceEmbeddings(model_name=model)
    )
    return {"hits": len(store.similarity_search(question, k=4))}


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps({"ingest": ingest, "query": query}[command](*arguments)))
