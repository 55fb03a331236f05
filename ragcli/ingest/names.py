"""What a name alone says of a file or folder: junk, a key, or bytes that hold no text.

Data and pure functions; looks at no file.
"""

from __future__ import annotations

import re

JUNK_FOLDERS = frozenset(
    """
    node_modules bower_components __pycache__ __pypackages__ .venv venv .tox .nox .mypy_cache
    .pytest_cache .ruff_cache .hypothesis .ipynb_checkpoints .idea .vscode .cache .eggs .gradle
    .terraform .svelte-kit .next .nuxt
    """.split()  # noqa: SIM905
)
"""Folders that tools fill. `target`, `build` and `dist` are not among them: people name folders so."""

JUNK_ENDINGS = (".egg-info", ".dist-info")

OWN_FOLDERS = frozenset((".git", ".hg", ".svn", ".bzr", "CVS", ".ragcli"))
"""Version control, and the collections themselves: never read, whatever the options say."""

_KEYS = re.compile(
    r"""\.env(\..+)?|.+\.env
      | .+\.(pem|key|p8|p12|pfx|kdbx?|jks|keystore|ppk|gpg|pgp|agekey)
      | id_[^.]+(\.pub|\.bak|\.old)?|id_(rsa|dsa|ecdsa|ed25519|ed448|xmss)\b.*
      | \.netrc|\.pgpass|\.htpasswd|\.npmrc|\.pypirc|\.git-credentials""",
    re.VERBOSE | re.IGNORECASE,
)

NO_TEXT = {
    suffix: kind
    for kind, suffixes in {
        "an image": "png jpg jpeg gif bmp tif tiff webp ico icns heic heif avif psd xcf raw cr2 nef",
        "audio": "mp3 wav flac ogg oga opus m4a aac wma aiff mid midi",
        "video": "mp4 m4v mkv mov avi webm wmv flv mpg mpeg 3gp",
        "an archive": "zip gz tgz bz2 tbz2 xz txz zst 7z rar tar lz4 lzma br cab iso dmg img deb rpm "
        "apk jar war ear whl egg crate gem nupkg",
        "a program": "exe dll so dylib a o obj lib ko bin class pyc pyo pyd wasm elf msi com sys node",
        "a font": "ttf otf woff woff2 eot",
        "a database or binary data": "sqlite sqlite3 db mdb accdb parquet arrow feather orc avro npy npz pkl "
        "pickle pt pth ckpt safetensors onnx gguf h5 hdf5 mat tfrecord faiss swp dat blend stl",
    }.items()
    for suffix in suffixes.split()
}


def is_junk(name: str) -> bool:
    """Whether a folder of this name holds what a tool made."""
    return name in JUNK_FOLDERS or name.endswith(JUNK_ENDINGS)


def is_key(name: str) -> bool:
    """Whether a file of this name usually holds a secret key or a password."""
    return _KEYS.fullmatch(name) is not None


def without_text(name: str) -> str | None:
    """What a file of this name is, where that is known to hold no text, or None."""
    return NO_TEXT.get(name.rpartition(".")[2].lower()) if "." in name else None


def printable(path: str) -> str:
    """The path with bytes that are not UTF-8 written as `\\xNN`, so that any stream can take it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
