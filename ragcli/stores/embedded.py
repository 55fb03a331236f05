"""The vector store on this machine: FAISS, exact while small, approximate when large.

Vectors have unit length, so the inner product is the cosine. Up to `exact_below` vectors all are
compared, in the float16 they were stored in; beyond that an inverted file with eight-bit codes
(IVF-SQ8) looks at the nearest lists only, and its scores are approximate. Knows no text and no
ledger.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ragcli.stores import verified

if TYPE_CHECKING:
    import numpy as np

SAMPLE_PER_LIST = 40
GROWTH = 4


class Options(BaseModel):
    """What can be set under `store` for the embedded store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exact_below: int = Field(
        50_000, ge=1, description="Up to this many chunks every vector is compared."
    )
    probes: int = Field(
        96, ge=1, description="Lists looked at by an approximate search; more find more, slower."
    )


def build(options: Options, folder: Path) -> EmbeddedStore:
    """A store whose file lies in a folder; call `open` or `reset` next."""
    return EmbeddedStore(options, folder / "dense.faiss")


class EmbeddedStore:
    """Vectors by number, kept in memory and saved to one verified file."""

    def __init__(self, options: Options, path: Path) -> None:
        self.options = options
        self.path = path
        self.exact = True
        self._trained_for = 0
        self._index: Any = None

    def open(self) -> tuple[int, str]:
        """Read the file; the ledger position and the fingerprint that it was saved with.

        Raises IndexDamaged when it is missing or is not what was written.
        """
        import faiss

        with verified.read(self.path) as (header, file):
            reader = faiss.PyCallbackIOReader(file.read)  # type: ignore[attr-defined]
            self._index = faiss.read_index(reader)
            self.exact = header["exact"]
            self._trained_for = header["trained_for"]
        return header["position"], header["fingerprint"]

    def saved_position(self) -> int:
        """The ledger position that the file says it was saved with; raises IndexDamaged."""
        return int(verified.header(self.path)["position"])

    def save(self, position: int, fingerprint: str) -> None:
        """Write the file; raises StorageError, and then the old file is still there."""
        import faiss

        header = {
            "position": position,
            "fingerprint": fingerprint,
            "exact": self.exact,
            "trained_for": self._trained_for,
        }

        def payload(write: Any) -> None:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(write))  # type: ignore[attr-defined]

        verified.write(self.path, header, payload)

    def sample_size(self, total: int) -> int:
        """How many vectors `reset` needs to learn from before `total` are added; 0 for none."""
        return 0 if total <= self.options.exact_below else _lists(total) * SAMPLE_PER_LIST

    def reset(self, dimension: int, total: int, sample: np.ndarray | None = None) -> None:
        """Begin anew, empty, in the form that suits `total` vectors."""
        import faiss

        self.exact = sample is None
        self._trained_for = total
        if sample is None:
            flat = faiss.IndexScalarQuantizer(
                dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
            self._index = faiss.IndexIDMap2(flat)
            return
        # Where many chunks say the same there are fewer vectors to learn from than chunks ask for.
        lists = max(min(_lists(total), len(sample) // SAMPLE_PER_LIST), 1)
        coarse = faiss.IndexFlatIP(dimension)
        self._index = faiss.IndexIVFScalarQuantizer(
            coarse,
            dimension,
            lists,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        self._index.cp.seed = 1
        self._index.cp.niter = 10
        self._index.train(sample)

    def outgrown(self, total: int) -> bool:
        """Whether so many vectors ask for another form than the present one."""
        if self.exact:
            return total > self.options.exact_below
        return total > GROWTH * self._trained_for or total * 2 < self.options.exact_below

    def __len__(self) -> int:
        return int(self._index.ntotal) if self._index is not None else 0

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Add vectors, float32 (n, dimension), under new numbers, int64 (n,)."""
        if len(ids):
            self._index.add_with_ids(vectors, ids)

    def delete(self, ids: np.ndarray) -> None:
        """Forget these numbers; unknown ones are passed over."""
        import faiss

        if len(ids):
            self._index.remove_ids(faiss.IDSelectorBatch(ids))

    def search(
        self, vector: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> list[tuple[int, float]]:
        """The k nearest to a vector, float32 (dimension,): number and cosine, best first.

        `allowed` holds the only numbers that may be found. Cosines are approximate unless
        `exact`.
        """
        import faiss

        k = min(k, len(self) if allowed is None else len(allowed))
        if k < 1:
            return []
        parameters, _kept_alive = self._parameters(allowed)
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)  # to meet again costs more than there is to share
        try:
            scores, ids = self._index.search(vector.reshape(1, -1), k, params=parameters)
        finally:
            faiss.omp_set_num_threads(threads)
        found = zip(ids[0].tolist(), scores[0].tolist(), strict=True)
        return [(id, score) for id, score in found if id >= 0]

    def _parameters(self, allowed: np.ndarray | None) -> tuple[Any, Any]:
        """How to search, and what must outlive the search."""
        import faiss

        selector = None if allowed is None else _selector(allowed)
        if self.exact:
            if selector is None:
                return None, None
            return faiss.SearchParameters(sel=selector), selector  # type: ignore[call-arg]
        share = 1.0 if allowed is None else len(allowed) / len(self)
        probes = min(math.ceil(self.options.probes / share), self._index.nlist)
        return faiss.SearchParametersIVF(sel=selector, nprobe=probes), selector  # type: ignore[call-arg]


def _selector(allowed: np.ndarray) -> Any:
    import faiss
    import numpy as np

    mask = np.zeros(int(allowed.max()) + 1, bool)
    mask[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]


def _lists(total: int) -> int:
    return max(int(2 * math.sqrt(total)), 1)
