"""Downloads a model from the Hugging Face Hub: safetensors weights, JSON and text, nothing that runs."""

from __future__ import annotations

from pathlib import Path

from ragcli.errors import ModelError

PATTERNS = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt"]
REFUSED = ["onnx/*", "openvino/*", "*training*"]
ANSWER_S = 5.0


def download(model: str, revision: str | None, hub_cache: Path) -> Path:
    """Download the model into the Hugging Face cache and return its folder.

    Raises ConnectionError, within seconds, when the Hub does not answer, and ModelError when it
    answers that there is no such model or that it is not to be had.
    """
    import httpx
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        found = HfApi(library_name="ragcli").model_info(
            model, revision=revision, timeout=ANSWER_S, files_metadata=False
        )
        folder = snapshot_download(
            model,
            revision=found.sha,
            cache_dir=hub_cache,
            etag_timeout=ANSWER_S,
            allow_patterns=PATTERNS,
            ignore_patterns=REFUSED,
        )
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"The Hub has no model {model}{f' at {revision}' if revision else ''} that you may read.",
            "Check embedder.model and embedder.revision; for a folder, write ./folder.",
        ) from error
    except (httpx.TransportError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ConnectionError(str(error)) from error
    return Path(folder)
