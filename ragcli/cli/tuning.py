"""What `finetune-embedder` needs of a session: the embedders, the folders, the data and the recipe."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.progress import TerminalProgress
from ragcli.errors import UsageError
from ragcli.settings import Embedder

if TYPE_CHECKING:
    from ragcli.cli.session import Session
    from ragcli.embedders import EmbedderInfo
    from ragcli.finetune.recipe import Outcome

NAME = "tuned"
BOUND = ("revision", "query_adapter")
"""Options of the embedder that belong to one model."""
SMALL_MODEL = "/all-MiniLM-L6-v2"
STRONGER = (
    "If you can choose the model: untuned, BAAI/bge-small-en-v1.5 gains over all-MiniLM-L6-v2 about as"
    " much as a good fine-tune."
)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Tuning:
    """One call of the command."""

    session: Session
    name: str | None
    data: Path | None
    recipe: dict[str, Any]
    reindex: bool = False
    push: str | None = None

    @property
    def work(self) -> Path:
        """Where a run works, until it is done; an estimate has a place of its own."""
        session, own = self.session, self.name or NAME
        name = f".{own}.estimate" if self.recipe["estimate"] else own
        return session.data_dir / "finetuning" / session.settings.collection / name

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes out of the place where it works. Raises CollectionBusy."""
        from ragcli.finetune.workplace import alone

        return alone(self.work, passing=self.recipe["estimate"])

    @property
    def curves(self) -> Path:
        """Where TensorBoard's files stay."""
        return self.session.data_dir / "curves" / (self.name or NAME)

    @property
    def models(self) -> Path:
        """Where results are kept."""
        return self.session.data_dir / "models"

    def free_name(self) -> str:
        """The name of a result that replaces none: as given, else `tuned`, `tuned-2`..."""
        first = self.name or NAME
        names = (first if number == 1 else f"{first}-{number}" for number in count(1))
        return next(name for name in names if not (self.models / name).exists())

    @property
    def key(self) -> str:
        """The setting of the section `embedder` that is to name the result."""
        return "query_adapter" if self.recipe["mode"] == "adapter" else "model"

    def changes(self, named: str) -> dict[str, str | None]:
        """What a result of this name changes of the section `embedder`; None takes a setting out."""
        # A map of before was fitted to other vectors.
        bound = dict.fromkeys(BOUND) if self.key == "model" else {}
        return {self.key: named, **bound}


def refuse(tuning: Tuning) -> None:
    """Raise UsageError where the result could not be kept as it is wanted; nothing was done yet."""
    from ragcli.finetune import pointing

    session = tuning.session
    if tuning.name is not None:
        _may_be_called(tuning.name, tuning.models)
    if session.settings.embedder.use != "sentence-transformers":
        raise UsageError(
            f"The embedder {session.settings.embedder.use} cannot be tuned here.",
            "Set embedder.use to sentence-transformers.",
        )
    if tuning.push:
        _may_push(tuning.push, session)
    if tuning.reindex and tuning.recipe["mode"] == "full":
        session.collection().close()
    if not tuning.recipe["estimate"]:
        pointing.refuse(session.config.own_file, tuning.changes(str(tuning.models / NAME)))


def tune(tuning: Tuning) -> Outcome:
    """Train and judge what `refuse` lets pass."""
    from ragcli.finetune.ground import Scene
    from ragcli.finetune.recipe import Recipe, Tools
    from ragcli.finetune.run import finetune

    session = tuning.session
    if session.embedder_info.model.endswith(SMALL_MODEL):
        session.out.note(STRONGER)
    with TerminalProgress(session.out) as progress:
        return finetune(
            tuning.data,
            Recipe(**tuning.recipe),
            Tools(
                scene=Scene(session.settings, progress),
                base=session.embedder_info,
                embedder=lambda: session.embedder,
                describe=lambda folder: describe_tuned(session, folder),
                open=lambda folder: open_tuned(session, folder),
                collection=session.collection,
                work=tuning.work,
                curves=tuning.curves,
                tell=session.out.note,
                warn=session.out.warn,
            ),
        )


def _may_be_called(name: str, models: Path) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r} is no name.", "Letters, digits, - and _ make one.")
    if (models / name).exists():
        raise UsageError(
            f"There is a model called {name!r} already: {models / name}.",
            "Choose another --name, or remove that folder.",
        )


def _choice(session: Session, folder: Path) -> Embedder:
    known = session.settings.embedder
    options = {**known.options, "model": str(folder)}
    for key in BOUND:
        options.pop(key, None)
    return Embedder(use=known.use, **options)


def describe_tuned(session: Session, folder: Path) -> EmbedderInfo:
    """What the model in this folder is, with the other options as they are."""
    from ragcli.embedders import describe

    return describe(_choice(session, folder), session.cache_dir, session.settings.offline)


def open_tuned(session: Session, folder: Path) -> Any:
    """The model in this folder, ready to embed, with the other options as they are."""
    from ragcli.embedders import build

    return build(
        _choice(session, folder),
        session.cache_dir,
        session.settings.offline,
        keys=session.environ,
        on_progress=session.out.note,
    )


def _may_push(name: str, session: Session) -> None:
    if session.settings.offline:
        raise UsageError("--push-to-hub needs the network, which is off.", "Leave out --offline.")
    if not hub_token(session):
        raise UsageError("--push-to-hub needs a token.", "Set HF_TOKEN to one that may write.")
    if not _HUB_NAME.fullmatch(name):
        raise UsageError(f"--push-to-hub {name!r} is not OWNER/NAME.", "Such as acme/embedder.")


def hub_token(session: Session) -> str | None:
    """The token of the Hub that an upload needs, where there is one."""
    from huggingface_hub import get_token

    return session.environ.get("HF_TOKEN") or get_token()
