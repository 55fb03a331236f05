"""The tables of the ledger and their version. Says nothing about how they are used.

A file is `staged` while its documents arrive, `ready` or `failed` once it is published, and
`retired` when a newer version took its place and its rows wait to be swept away.
"""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  root TEXT,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  digest TEXT NOT NULL,
  format TEXT NOT NULL,
  parser TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('staged', 'ready', 'failed', 'retired')),
  error TEXT,
  documents INTEGER NOT NULL DEFAULT 0,
  chunks INTEGER NOT NULL DEFAULT 0,
  embedded INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX files_path ON files (path) WHERE state IN ('ready', 'failed');
CREATE INDEX files_state ON files (state, chunks, embedded);
CREATE INDEX files_digest ON files (digest);
CREATE TABLE documents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file INTEGER NOT NULL REFERENCES files (id),
  ordinal INTEGER NOT NULL,
  doc_id TEXT,
  title TEXT,
  page_unit TEXT,
  line_unit TEXT NOT NULL,
  metadata TEXT NOT NULL,
  warnings TEXT NOT NULL
);
CREATE UNIQUE INDEX documents_file ON documents (file, ordinal);
CREATE TABLE vectors (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key BLOB NOT NULL UNIQUE,
  data BLOB,
  crc INTEGER
);
CREATE INDEX vectors_pending ON vectors (id) WHERE data IS NULL;
CREATE TABLE chunks (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL,
  document INTEGER NOT NULL REFERENCES documents (id),
  ordinal INTEGER NOT NULL,
  vector INTEGER NOT NULL REFERENCES vectors (id),
  first_page INTEGER,
  last_page INTEGER,
  tokens INTEGER NOT NULL,
  heading TEXT NOT NULL,
  spans TEXT NOT NULL,
  crc INTEGER NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX chunks_document ON chunks (document, ordinal, first_page, last_page);
CREATE INDEX chunks_vector ON chunks (vector);
CREATE INDEX chunks_id ON chunks (id);
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  op TEXT NOT NULL CHECK (op IN ('text', 'vector', 'gone')),
  chunk INTEGER NOT NULL
);
"""
