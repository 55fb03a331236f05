"""Texts of several lengths and kinds on which a converted model is compared with the original."""

from __future__ import annotations

_SENTENCE = (
    "The committee published its findings on coastal erosion after three years of measurements, "
    "and recommended that the sea wall be rebuilt further inland before the winter storms. "
)
_TABLE = "| year | tonnes | share |\n| 2023 | 1,204 | 17.5 % |\n| 2024 | 998 | 14.1 % |\n"
_CODE = "def area(radius: float) -> float:\n    return 3.14159 * radius ** 2\n"

PROBES: tuple[str, ...] = (
    "tide",
    "How high is the sea wall?",
    "UPPER and lower Case, with punctuation: (yes) - no; 100 % of €42.50!",
    "Größe, naïve café, Łódź, ελληνικά, русский, 日本語, العربية",
    _CODE,
    _TABLE,
    _SENTENCE,
    _CODE * 3 + _TABLE,
    _SENTENCE * 3,
    _TABLE * 2 + _SENTENCE * 4,
    "The water, the wind and the stone. " * 20,
    _SENTENCE * 40,
)
