"""What becomes of a tuned embedder: kept, named by the configuration, uploaded, taken back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.progress import TerminalProgress
from ragcli.cli.tuning import Tuning, describe_tuned, hub_token, open_tuned
from ragcli.errors import NetworkError
from ragcli.layers import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragcli.cli.session import Session
    from ragcli.finetune.recipe import Outcome


def keep_result(tuning: Tuning, outcome: Outcome) -> dict[str, Any]:
    """Keep what is better, let the configuration name it, and say so; else say why the base stays."""
    name = tuning.free_name()
    told = {"name": name, "kept": outcome.staged is not None, "reason": outcome.reason}
    told |= outcome.told
    if outcome.staged is None:
        shutil.rmtree(tuning.work, ignore_errors=True)
        return {**told, "said": f"The base embedder stays: {outcome.reason}."}
    folder = _publish(tuning, outcome.staged, told)
    config = _point(tuning, folder)
    told |= {"folder": str(folder), "config": str(config)}
    said = f"Better: kept in {folder}; {config} names it as embedder.{tuning.key}."
    if (origin := _overruled(tuning.session, config, tuning.key)) is not None:
        told["overruled_by"] = origin
        said += _without_effect(origin, tuning.key)
    if tuning.push:
        _push(folder, tuning.push, tuning.session)
    if tuning.key == "query_adapter":
        return {**told, "said": f"{said} Nothing has to be embedded again."}
    if tuning.reindex:
        return {**told, "said": f"{said} {_reindex(tuning, folder)}"}
    return {**told, "said": f"{said} Embed the collection again with: ragcli ingest"}


def _publish(tuning: Tuning, staged: Path, told: dict[str, Any]) -> Path:
    from ragcli.embedders.convert import place_of
    from ragcli.finetune import publish

    session = tuning.session
    base = session.embedder_info
    if tuning.recipe["mode"] == "full":
        info = describe_tuned(session, staged)
        told["fingerprint"] = info.fingerprint
        precision = str(session.settings.embedder.options.get("precision", "int8"))
        publish.add_export(staged, place_of(session.cache_dir, info.fingerprint, precision))
    publish.write_facts(staged, base, told)
    folder = publish.publish(staged, tuning.models / told["name"])
    shutil.rmtree(tuning.work, ignore_errors=True)
    return folder


def _point(tuning: Tuning, folder: Path) -> Path:
    from ragcli.finetune import pointing

    session = tuning.session
    config = session.config.own_file
    changes = tuning.changes(_as_named(folder, config, session))
    pointing.point_all(tuning.models, config, changes)
    for key, value in changes.items():
        origin = _origins(session).get(f"embedder.{key}")
        if value is None and origin is not None:
            session.out.warn(
                f"embedder.{key}, set by {origin}, belongs to the model of before: take it out."
            )
    return config


def _origins(session: Session) -> Mapping[str, str]:
    """What sets each setting, read again: a file has changed."""
    return session.config.with_common(session.common).loaded.origins


def _overruled(session: Session, config: Path, key: str) -> str | None:
    """What the setting of the file yields to: a variable, a flag, another file; None for nothing."""
    origin = _origins(session).get(f"embedder.{key}")
    if origin is None or os.path.realpath(origin) == os.path.realpath(config):
        return None
    return origin


def _without_effect(origin: str, key: str) -> str:
    remedy = f"Take embedder.{key} out there."
    if origin.startswith(VARIABLE):
        remedy = f"Unset {origin.removeprefix(VARIABLE).strip()}, or take it out of .env."
    elif origin == "--set":
        remedy = f"Leave out --set embedder.{key} from now on."
    return f" It has no effect yet: {origin} wins over that file. {remedy}"


def _as_named(folder: Path, config: Path, session: Session) -> str:
    """The path as the configuration gives it: within a project from its root, so that it may move.

    A file that is named with --config is read from other folders too.
    """
    if config == session.config.project_file and folder.is_relative_to(config.parent):
        return f"./{folder.relative_to(config.parent).as_posix()}"
    return str(folder)


def _reindex(tuning: Tuning, folder: Path) -> str:
    from ragcli.finetune.ground import Ground, Scene, embed_with

    session = tuning.session
    embedder = open_tuned(session, folder)
    with session.collection() as collection, TerminalProgress(session.out) as progress:
        ground = Ground(collection, records=False)
        embed_with(
            ground,
            Scene(session.settings, progress),
            describe_tuned(session, folder),
            lambda: embedder,
        )
        return f"The collection has {collection.ledger.coverage().embedded} new vectors."


def _push(folder: Path, name: str, session: Session) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(library_name="ragcli", token=hub_token(session))
    try:
        api.create_repo(name, private=True, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder)
    except (HfHubHTTPError, OSError) as error:
        raise NetworkError(
            f"The result is kept in {folder}, but it was not uploaded: {str(error).splitlines()[0]}.",
            f"Upload it with: hf upload {name} {folder}",
        ) from error
    session.out.note(f"Uploaded to https://huggingface.co/{name}.")


def roll_back(session: Session) -> dict[str, Any]:
    """Take back what the last result changed in the configuration."""
    from ragcli.finetune import pointing

    entry = pointing.roll_back(session.data_dir / "models")
    main = entry["changes"][0]
    config, key = entry["config"], main["key"]
    said = f"{config}: embedder.{key} is {main['before'] or 'the default'} again."
    if main["before"] and (origin := _overruled(session, Path(config), key)) is not None:
        said += _without_effect(origin, key)
    if main["key"] == "model":
        said += " Embed the collection again with: ragcli ingest"
    return {"rolled_back": main["after"], "to": main["before"], "said": said}
