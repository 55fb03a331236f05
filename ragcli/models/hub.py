"""Downloads a model from the Hugging Face Hub: safetensors weights, JSON and text, nothing that runs.

And the map for questions that a tuned embedder may have, which is read without pickle.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ragcli.errors import ModelError, StorageError
from ragcli.models.switches import silence_hub

PATTERNS = [
    "*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.jinja", "query_adapter.npy"
]  # fmt: skip
REFUSED = ["onnx/*", "openvino/*", "*training*", "original/*", "consolidated*", "metal/*"]
"""What no use is made of here; the last three are second copies of the weights."""
ANSWER_S = 5.0
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def download(
    model: str,
    revision: str | None,
    hub_cache: Path,
    *,
    section: str,
    token: str | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Path:
    """Download the model into the Hugging Face cache and return its folder.

    `section` is where the model was named in the configuration; `token` reads gated models.
    Raises ConnectionError, within seconds, when the Hub does not answer, and ModelError when it
    answers that there is no such model or that it is not to be had, StorageError when it cannot be
    written.
    """
    import httpx
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    silence_hub()
    try:
        found = HfApi(library_name="ragcli", token=token).model_info(
            model, revision=revision, timeout=ANSWER_S, files_metadata=on_progress is not None
        )
        if on_progress:
            size = _bytes(found.siblings or [])
            on_progress(f"Downloading {model} from the Hub, {size / 1e9:.1f} GB.")
        folder = snapshot_download(
            model,
            revision=found.sha,
            cache_dir=hub_cache,
            etag_timeout=ANSWER_S,
            allow_patterns=PATTERNS,
            ignore_patterns=REFUSED,
            token=token,
        )
    except GatedRepoError as error:
        raise ModelError(
            f"The Hub does not let you read {model} yet: its owner asks for a licence to be accepted.",
            f"Accept it at https://huggingface.co/{model} and set HF_TOKEN.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"The Hub has no model {model}{f' at {revision}' if revision else ''} that you may read.",
            f"Check {section}.model and {section}.revision; for a folder, write ./folder.",
        ) from error
    except (httpx.TransportError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ConnectionError(str(error)) from error
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise ConnectionError(str(error)) from error
        raise StorageError(
            f"{model} cannot be kept in {hub_cache}: {error.strerror}.",
            "Free some space there, or set HF_HOME to a folder that has it.",
        ) from error
    return Path(folder)


def _bytes(files: list[Any]) -> int:
    """What the files to be fetched weigh."""
    return sum(
        file.size or 0
        for file in files
        if any(fnmatch(file.rfilename, pattern) for pattern in PATTERNS)
        and not any(fnmatch(file.rfilename, pattern) for pattern in REFUSED)
    )
