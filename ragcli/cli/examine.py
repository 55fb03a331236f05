"""What the configured language model and reranker need: where from, which key, which hosts. Asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragcli.errors import NetworkError, RagcliError

if TYPE_CHECKING:
    from ragcli.cli.session import Session


@dataclass(frozen=True, slots=True)
class Examined:
    """Whether the model could be asked as far as can be seen, in words, and the host it would contact."""

    ok: bool
    detail: str
    host: str | None = None


def examine_llm(session: Session) -> Examined:
    """The language model of these settings; nothing is loaded, fetched or asked."""
    if session.llm.name is None:
        return Examined(True, "none; answers are quotes of the documents")
    try:
        use = session.settings.llm.use
        hosted = _hosted(session, "llm", use, session.llm.options, session.llm.name)
        return hosted or _local(session)
    except RagcliError as error:
        return Examined(False, f"{session.llm.name}: {error.message} {error.fix}")


def examine_reranker(session: Session) -> Examined:
    """The reranker of these settings; nothing is loaded, fetched or asked."""
    from ragcli.rerankers.folder import find, read_pair_card

    name = session.reranker_name
    if name is None:
        return Examined(True, "none; hits stay as they were fused")
    options, use = session.reranker_options, session.settings.reranker.use
    try:
        if hosted := _hosted(session, "reranker", use, options, name):
            return hosted
        card = read_pair_card(options.model, find(options.model, options.revision, offline=True))
    except NetworkError:
        host = None if session.settings.offline else "huggingface.co"
        return Examined(host is not None, f"{name}, not on this machine yet", host)
    except RagcliError as error:
        return Examined(False, f"{name}: {error.message} {error.fix}".rstrip())
    return Examined(True, f"{name} ({card.folder})")


def _hosted(session: Session, section: str, use: str, options: Any, name: str) -> Examined | None:
    from ragcli.hosted.access import address
    from ragcli.hosted.hosts import host_of, is_local
    from ragcli.hosted.provider import PROVIDERS

    provider = PROVIDERS.get(use)
    if provider is None:
        return None
    url = address(provider, options, section)
    host = host_of(url)
    variable = options.api_key_env or provider.key
    has_key = bool(session.environ.get(variable, "").strip())
    needed = provider.needs_key or options.api_key_env is not None
    key = f"key {variable} is {'set' if has_key else 'not set'}" if needed or has_key else "no key"
    refused = session.settings.offline and not is_local(url)
    detail = f"{name} at {host}, {key}" + (", which --offline forbids" if refused else "")
    return Examined(
        (has_key or not needed) and not refused, detail, None if is_local(url) else host
    )


def _local(session: Session) -> Examined:
    place = session.llm.plug.describe(session.llm.options, session.llm.resources)
    where = f" ({place.folder})" if place.folder else ""
    return Examined(True, f"{session.llm.name} from {place.source}{where}", place.host)
