"""What the page needs to know before it answers: its names, proxies and language, as the daemon's settings say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from facesecure.util.host_names import own_names
from facesecure.web.daemon import Daemon, DaemonAway, DaemonRefused

Network = IPv4Network | IPv6Network
LANGUAGE = "en"
_IDLE_MINUTES = 5.0
_PATIENCE = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageSettings:
    """``names``: host names that the page is reached by, beside those of this machine.

    ``proxies``: networks of the proxies whose X-Forwarded headers count. ``language``: of people who have not chosen,
    and whose browser asks for none that we have. Example::

        PageSettings(names=frozenset({"home.example.org"}), proxies=networks(["192.168.1.2"]))
    """

    names: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    language: str = LANGUAGE
    idle_minutes: float = _IDLE_MINUTES

    @classmethod
    def of(cls, hello: Mapping[str, Any]) -> PageSettings:
        """Return what the daemon's answer to "hello" says."""
        return cls(
            frozenset(name.lower() for name in hello.get("hosts", ())),
            networks(hello.get("trusted_proxies", ())),
            str(hello.get("language", LANGUAGE)),
            float(hello.get("idle_minutes", _IDLE_MINUTES)),
        )


class CurrentSettings:
    """The settings that hold now: those at first, and the daemon's once it has answered ``refresh``."""

    def __init__(self, first: PageSettings | None = None) -> None:
        self._settings = first or PageSettings()

    @property
    def language(self) -> str:
        """Return the language of people who have not chosen one."""
        return self._settings.language

    @property
    def idle_minutes(self) -> float:
        """Return after how many minutes without a browser the page ends."""
        return self._settings.idle_minutes

    async def refresh(self, daemon: Daemon) -> None:
        """Ask the daemon; while it is away, what it said last holds."""
        try:
            self._settings = PageSettings.of((await daemon.call("hello", seconds=_PATIENCE)).result)
        except (DaemonAway, DaemonRefused) as error:
            _log.warning("the page keeps its settings: %s", error)
        except (TypeError, ValueError, AttributeError):
            _log.error("the daemon's settings of the page cannot be understood; restart both after an upgrade")

    def knows(self, name: str) -> bool:
        """Return whether the page is reached by ``name``, the host of an address without its port."""
        name = name.lower().rstrip(".")
        return is_address(name) or name in self._settings.names or name in own_names()

    def trusts(self, address: str) -> bool:
        """Return whether ``address``, the other end of a connection, is a proxy's."""
        try:
            peer = ip_address(plain_address(address))
        except ValueError:
            return False
        return any(peer in network for network in self._settings.proxies)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that ``texts`` name: addresses, or networks such as 192.168.1.0/24. Raises ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def plain_address(text: str) -> str:
    """Return the address ``text`` as people write it: a socket of both IPs calls 192.168.1.7 ::ffff:192.168.1.7."""
    try:
        mapped = getattr(ip_address(text.partition("%")[0]), "ipv4_mapped", None)
    except ValueError:
        return text
    return str(mapped) if mapped else text


def is_address(host: str) -> bool:
    """Return whether ``host`` is an IP address, in brackets or not.

    DNS rebinding needs a name that somebody else can point here; a page at an address comes from that address.
    """
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
