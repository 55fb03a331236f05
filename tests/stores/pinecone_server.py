"""Pinecone on the loopback: checks every request against the published OpenAPI documents.

Understands what the program sends: indexes, upsert, query, fetch, list, delete, stats. Answers as
the documents say, late where `lag_s` is set, and with the faults that a `Faults` injects.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import yaml
from jsonschema import Draft202012Validator

KEY = "test-key"
FULL = (
    403,
    {"code": 7, "message": "Request failed. You've reached the max storage allowed for this"
     " project (2.0 GB). To continue writing data, upgrade your plan."},
)  # fmt: skip
SPENT = (
    429,
    {"code": 8, "message": "Request failed. You've reached your write unit limit for the current"
     " month (2000000). To continue writing data, upgrade your plan."},
)  # fmt: skip
UPSERT_BYTES, UPSERT_ROWS, METADATA_BYTES = 2_097_152, 1000, 40_960


class Specification:
    """The OpenAPI documents of the data plane and the control plane."""

    def __init__(self, folder: Path) -> None:
        self.data = _document(folder, "db_data_*.oas.yaml")
        self.control = _document(folder, "db_control_*.oas.yaml")
        self._validators: dict[tuple[str, str], Any] = {}

    def complaint(
        self, method: str, path: str, query: dict[str, list[str]], body: Any, version: str
    ) -> str | None:
        """What is wrong with a request; None when the documents allow it."""
        control = path.startswith("/indexes")
        document = self.control if control else self.data
        template = _template(document, path)
        if template is None or method.lower() not in document["paths"][template]:
            return f"{method} {path} is not in the documents"
        if not re.fullmatch(r"\d{4}-\d{2}", version):
            return "X-Pinecone-Api-Version is missing"
        operation = document["paths"][template][method.lower()]
        known = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
        for name in query:
            if name not in known:
                return f"{path} has no parameter {name}"
        for name, parameter in known.items():
            if parameter.get("required") and name not in query:
                return f"{path} needs the parameter {name}"
        if "requestBody" not in operation:
            return None if body is None else f"{path} takes no body"
        if control and version > document["info"]["version"]:
            return _newer_index(body)
        return self._check(document, operation, template, body)

    def _check(self, document: Any, operation: Any, template: str, body: Any) -> str | None:
        at = (document["info"]["title"], template)
        if at not in self._validators:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            whole = {**_strict(schema), "components": _strict(document["components"])}
            self._validators[at] = Draft202012Validator(whole)
        errors = [e.message[:200] for e in self._validators[at].iter_errors(_shortened(body))]
        return "; ".join(errors) or None


def _document(folder: Path, pattern: str) -> Any:
    return yaml.safe_load(sorted(folder.glob(pattern))[-1].read_text(encoding="utf-8"))


def _template(document: Any, path: str) -> str | None:
    for template in document["paths"]:
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return template
    return None


def _strict(schema: Any) -> Any:
    """JSON Schema of an OpenAPI 3.0 schema in which an object has no fields but the named ones.

    The documents say `required: [id]` of a string and `maxLength` of an array; those words mean
    nothing there to a validator, and the limits are checked by the server itself.
    """
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items() if key != "example"}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if made.get("type") != "object" and "properties" not in made:
        made = {k: v for k, v in made.items() if k != "required" or made.get("oneOf")}
    return made


def _shortened(body: Any) -> Any:
    """The body with two numbers of each vector, once all are seen to be numbers: there are many."""
    if not isinstance(body, dict) or not isinstance(body.get("vectors"), list):
        return body
    vectors = []
    for vector in body["vectors"]:
        values = vector.get("values") if isinstance(vector, dict) else None
        if isinstance(values, list) and {type(value) for value in values} <= {int, float}:
            vector = {**vector, "values": values[:2]}
        vectors.append(vector)
    return {**body, "vectors": vectors}


def _newer_index(body: Any) -> str | None:
    """The body of `create index` in API versions after the last document: fields and a place."""
    fields = (body.get("schema") or {}).get("fields") or {}
    if len(fields) != 1 or next(iter(fields.values())).get("type") != "dense_vector":
        return "schema needs one field of type dense_vector"
    if not {"cloud", "region"} <= set(body.get("deployment") or {}):
        return "deployment needs cloud and region"
    return None


@dataclass
class Faults:
    """What goes wrong: each request draws one of `kinds` with a chance of `share`."""

    share: float = 0.0
    kinds: tuple[str, ...] = ("429", "500", "503", "lost", "cut", "partial", "slow")
    slow_s: float = 1.0
    seed: int = 0
    only: str = "/vectors"
    drawn: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def draw(self, path: str) -> str | None:
        """The fault of the next request, if it has one."""
        with self._lock:
            if not path.startswith(self.only) or self._random.random() >= self.share:
                return None
            kind = self._random.choice(self.kinds)
            self.drawn[kind] = self.drawn.get(kind, 0) + 1
            return kind


class PineconeServer(ThreadingHTTPServer):
    """One project: its indexes, their namespaces, and all requests that it took."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, specification: Specification | None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.specification = specification
        self.forbidden: str | None = None
        self.faults = Faults()
        self.lag_s = 0.0
        self.full_at: int | None = None
        self.full = FULL
        self.lock = threading.RLock()
        self.indexes: dict[str, dict[str, Any]] = {}
        self.spaces: dict[str, _Space] = {}
        self.requests: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.most_at_once = self.now = 0

    @property
    def url(self) -> str:
        """The address of both planes."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def space(self, name: str) -> _Space:
        """A namespace by name."""
        return self.spaces.setdefault(name, _Space())


@dataclass
class _Space:
    vectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: float = 0.0
    shown: list[str] = field(default_factory=list)
    matrix: np.ndarray | None = None

    def level(self, lag_s: float) -> None:
        """Show what was written once `lag_s` have passed since."""
        if self.matrix is None and time.monotonic() - self.written >= lag_s:
            self.shown = list(self.vectors)
            rows = [self.vectors[id]["values"] for id in self.shown]
            self.matrix = np.asarray(rows, np.float64)

    def changed(self) -> None:
        self.matrix, self.written = None, time.monotonic()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: of two, the second waits for the first to be acknowledged
    server: PineconeServer

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        server = self.server
        with server.lock:
            server.now += 1
            server.most_at_once = max(server.most_at_once, server.now)
        try:
            self._answer(method)
        finally:
            with server.lock:
                server.now -= 1

    def _answer(self, method: str) -> None:
        server = self.server
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        query = parse_qs(parts.query, keep_blank_values=True)
        server.requests.append((method, parts.path))
        if self.headers.get("Api-Key") != KEY:
            return self._send(401, {"code": 16, "message": "Invalid API Key"})
        if server.forbidden is not None:
            return self._send(403, _error("FORBIDDEN", server.forbidden))
        complaint = self._complaint(method, parts.path, query, body, len(raw))
        if complaint is not None:
            server.complaints.append(complaint)
            return self._send(400, {"code": 3, "message": complaint})
        fault = server.faults.draw(parts.path)
        if fault in ("429", "500", "503"):
            return self._send(int(fault), {"code": 8, "message": f"injected {fault}"})
        if fault == "cut":
            return self._hang_up()
        if fault == "slow":
            time.sleep(server.faults.slow_s)
        with server.lock:
            status, answer = self._do(method, parts.path, query, body, partial=fault == "partial")
        if fault == "lost":
            return self._hang_up()
        return self._send(status, answer)

    def _complaint(self, method: str, path: str, query: Any, body: Any, size: int) -> str | None:
        if size > UPSERT_BYTES:
            return f"the request has {size} bytes"
        for vector in (body or {}).get("vectors", []) if isinstance(body, dict) else []:
            if len(json.dumps(vector.get("metadata", {})).encode()) > 2 * METADATA_BYTES:
                return "metadata beyond 40 KB"
            for value in vector.get("metadata", {}).values():
                if not isinstance(value, str | int | float | bool | list):
                    return f"metadata holds {value!r}"
        if len((body or {}).get("vectors", [])) > UPSERT_ROWS:
            return "more than 1000 vectors"
        version = self.headers.get("X-Pinecone-Api-Version", "")
        specification = self.server.specification
        if specification is None:
            return None
        return specification.complaint(method, path, query, body, version)

    def _do(
        self, method: str, path: str, query: dict[str, list[str]], body: Any, *, partial: bool
    ) -> tuple[int, Any]:
        if path.startswith("/indexes"):
            return self._index(method, path.removeprefix("/indexes").strip("/"), body)
        name = (body or {}).get("namespace") or query.get("namespace", [""])[0] or "__default__"
        space = self.server.space(name)
        return getattr(self, "_" + path.strip("/").replace("/", "_"))(
            space, name, query, body, partial
        )

    def _index(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        indexes = self.server.indexes
        if method == "POST":
            if body["name"] in indexes:
                return 409, _error("ALREADY_EXISTS", "Resource already exists")
            field = next(iter(body["schema"]["fields"].values())) if "schema" in body else body
            indexes[body["name"]] = {
                "name": body["name"],
                "dimension": field["dimension"],
                "metric": field.get("metric", "cosine"),
            }
            return 201, self._model(body["name"])
        if name and name not in indexes:
            return 404, _error("NOT_FOUND", f"Resource {name} not found")
        return 200, self._model(name)

    def _model(self, name: str) -> Any:
        index = self.server.indexes[name]
        vector = {"dimension": index["dimension"], "metric": index["metric"]}
        host = {"name": name, "host": self.server.url, "status": {"ready": True, "state": "Ready"}}
        if self.headers.get("X-Pinecone-Api-Version", "") >= "2026-07":
            place = {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
            place["environment"] = "aped-0000-0000"
            fields = {"_values": {"type": "dense_vector", **vector}}
            return {
                **host, "schema": {"fields": fields}, "deployment": place,
                "deletion_protection": "disabled", "tags": None,
            }  # fmt: skip
        spec = {"serverless": {"cloud": "aws", "region": "us-east-1"}}
        return {
            **host, **vector, "spec": spec, "vector_type": "dense",
            "deletion_protection": "disabled",
        }  # fmt: skip

    def _vectors_upsert(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        vectors = body["vectors"]
        if self.server.full_at is not None and len(space.vectors) >= self.server.full_at:
            return self.server.full
        taken = vectors[: len(vectors) // 2] if partial else vectors
        space.vectors.update((vector["id"], vector) for vector in taken)
        space.changed()
        return 200, {"upsertedCount": len(taken)}

    def _vectors_delete(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        if not space.vectors:
            return 404, {"code": 5, "message": "Namespace not found"}
        if body.get("deleteAll"):
            space.vectors.clear()
        for id in body.get("ids", []):
            space.vectors.pop(id, None)
        space.changed()
        return 200, {}

    def _vectors_fetch(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        found = {id: space.vectors[id] for id in query["ids"] if id in space.vectors}
        return 200, {"vectors": found, "namespace": name}

    def _vectors_list(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        limit = min(int(query.get("limit", ["100"])[0]), 100)
        after = query.get("paginationToken", [""])[0]
        ids = sorted(id for id in space.vectors if id > after)
        answer: dict[str, Any] = {"vectors": [{"id": id} for id in ids[:limit]], "namespace": name}
        if len(ids) > limit:
            answer["pagination"] = {"next": ids[limit - 1]}
        return 200, answer

    def _describe_index_stats(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        spaces = {}
        for own, each in self.server.spaces.items():
            each.level(self.server.lag_s)
            if each.vectors or each.shown:
                spaces[own] = {"vectorCount": len(each.shown)}
        return 200, {"namespaces": spaces, "dimension": 0, "totalVectorCount": 0}

    def _query(
        self, space: _Space, name: str, query: Any, body: Any, partial: bool
    ) -> tuple[int, Any]:
        space.level(self.server.lag_s)
        if not space.shown:
            return 200, {"matches": [], "namespace": name}
        metric = next(iter(self.server.indexes.values()))["metric"]
        scores = _scores(np.asarray(body["vector"], np.float64), space.matrix, metric)
        order = np.argsort(scores if metric == "euclidean" else -scores, kind="stable")
        condition = body.get("filter")
        matches = []
        for at in order:
            vector = space.vectors.get(space.shown[at])
            if vector and (condition is None or _holds(condition, vector.get("metadata", {}))):
                matches.append({"id": vector["id"], "score": float(np.float32(scores[at]))})
            if len(matches) == body["topK"]:
                break
        return 200, {"matches": matches, "namespace": name}

    def _send(self, status: int, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()


def _error(code: str, message: str) -> Any:
    return {"error": {"code": code, "message": message}, "status": 0}


def _scores(asked: np.ndarray, rows: Any, metric: str) -> np.ndarray:
    if metric == "euclidean":
        return np.asarray(((rows - asked) ** 2).sum(1))
    dots = rows @ asked
    if metric == "dotproduct":
        return np.asarray(dots)
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(asked)
    return np.asarray(dots / np.maximum(lengths, 1e-12))


def _holds(condition: dict[str, Any], metadata: dict[str, Any]) -> bool:
    """Whether metadata satisfies a filter of `$and`, `$in`, `$gte`, `$lte`; others are errors."""
    if "$and" in condition:
        return all(_holds(part, metadata) for part in condition["$and"])
    ((name, test),) = condition.items()
    ((operator, value),) = test.items()
    own = metadata.get(name)
    if operator == "$in":
        return own in value
    if own is None:
        return False
    return bool(own >= value) if operator == "$gte" else bool({"$lte": own <= value}[operator])


@contextmanager
def serving(specification: Specification | None, port: int = 0) -> Iterator[PineconeServer]:
    """A server that runs while the block does, at any free port unless one is named."""
    server = PineconeServer(specification, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
