"""Switches of libraries, set in the environment before their import: no telemetry, no noise."""

from __future__ import annotations

import os

QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "USE_HUB_KERNELS": "NO",
}
"""For children: the model lies on this machine by then, so they never need the network."""

SLEEPING_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
"""For a child that runs many small steps: threads that spin while they wait for each other starve
each other as soon as the machine has anything else to do."""


def silence_onnxruntime() -> None:
    """Switch its telemetry off; after the import it would be too late."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def silence_hub() -> None:
    """Switch off what the Hub's client would say and ask beyond the model, also after its import."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
