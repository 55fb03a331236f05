"""What an error of torch or transformers means to a person."""

from __future__ import annotations

from ragcli.errors import ModelError

MEMORY_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "CUDA_ERROR_OUT_OF")
LENGTH = 300


def explain(error: Exception, model: str, doing: str) -> ModelError:
    """The error in one sentence, with what can be done; `doing` is `loading` or `generation`."""
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in MEMORY_SIGNS):
        return ModelError(
            f"There is not enough memory for {model}: {doing} ran out of it.",
            "Set llm.quantization to 4bit, choose a smaller llm.model, or lower retrieval.top_k.",
        )
    if "trust_remote_code" in str(error):
        return ModelError(
            f"The model {model} needs code of its own, and none is run.",
            "Choose a model of a kind that transformers knows.",
        )
    return ModelError(f"The {doing} of {model} failed: {_sentence(error)}.", _fix(doing))


def _sentence(error: Exception) -> str:
    """Kind and first line."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip().rstrip(".:") if lines else ""
    if len(text) > LENGTH:
        text = text[: LENGTH - 1] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _fix(doing: str) -> str:
    if doing == "loading":
        return "Fetch or save the model again, or choose another llm.model."
    return "Run it again with -v to see where; another llm.dtype or llm.quantization may work."
