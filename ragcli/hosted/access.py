"""The way to one model of one provider: its address and key, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ragcli.errors import ConfigError, MissingKey, NetworkError
from ragcli.hosted.hosts import checked_url, host_of, is_local
from ragcli.hosted.options import HostedOptions
from ragcli.hosted.provider import Provider

CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Access:
    """Everything about a provider that a plug and its errors need.

    `section` is the section of the settings that chose it, for messages. `key` is empty where the
    server needs none. `say` is told of every wait.
    """

    provider: Provider
    section: str
    model: str
    url: str
    key: str = field(repr=False)
    key_name: str
    timeout_s: float
    retries: int
    say: Callable[[str], None] = field(repr=False)

    @property
    def who(self) -> str:
        """The provider as messages name it; a server of one's own by its address."""
        if self.url == self.provider.url:
            return self.provider.title
        return f"{self.provider.title} at {host_of(self.url)}"

    @property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        return is_local(self.url)

    @property
    def connect_s(self) -> float:
        """How long a connection may take to be made, in seconds."""
        return min(CONNECT_S, self.timeout_s)


def address(provider: Provider, options: HostedOptions, section: str) -> str:
    """The address that these options lead to; raises ConfigError where there is none."""
    url = options.base_url or provider.url
    if not url:
        raise ConfigError(
            f"{section}.base_url is missing: {provider.use} has no usual address.",
            f"For example: --set {section}.base_url=http://127.0.0.1:8000/v1",
        )
    return checked_url(url, f"{section}.base_url")


def open_access(
    provider: Provider,
    options: HostedOptions,
    section: str,
    *,
    keys: Mapping[str, str],
    offline: bool,
    say: Callable[[str], None],
) -> Access:
    """Look the key up and check the address.

    Raises ConfigError for an address that is none, NetworkError when `offline` forbids it, and
    MissingKey when the provider needs a key and the variable holds none.
    """
    url = address(provider, options, section)
    if offline and not is_local(url):
        raise NetworkError(
            f"--offline forbids {section} {provider.use}, which would ask {host_of(url)}.",
            "Leave out --offline, or choose a model that runs on this machine.",
        )
    return Access(
        provider=provider,
        section=section,
        model=options.model,
        url=url,
        key=_key(provider, options, section, keys),
        key_name=options.api_key_env or provider.key,
        timeout_s=options.timeout_s,
        retries=options.retries,
        say=say,
    )


def _key(provider: Provider, options: HostedOptions, section: str, keys: Mapping[str, str]) -> str:
    name = options.api_key_env or provider.key
    key = keys.get(name, "").strip()
    # A name that was asked for and holds nothing is a mistake, even where keys are optional.
    if not key and (provider.needs_key or options.api_key_env):
        raise MissingKey(
            f"{section} {provider.use} needs a key, and the variable {name} holds none.",
            f"Set it: export {name}=...; or write {name}=... into a file .env here.",
        )
    if not key.isascii() or not key.isprintable():
        raise MissingKey(
            f"The key in {name} holds characters that no key has.", f"Copy it anew into {name}."
        )
    return key
