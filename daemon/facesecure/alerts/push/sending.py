"""Hand a message to a push service, which may be hostile: its address comes from a browser."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from facesecure.alerts.push.encryption import encrypt
from facesecure.alerts.push.vapid import authorization
from facesecure.domain.errors import PluginError
from facesecure.domain.push import PushSubscription
from facesecure.util.https import InsecureAddressError, Limits, open_https
from facesecure.util.public_addresses import PrivateAddressError

LIMITS = Limits(silence=5.0, total=8.0, redirects=0)
LONGEST_ENDPOINT = 1000
_GONE = (404, 410)
_MULTIPLE = 512
_HTTPS = 443


class Outcome(Enum):
    """What a push service said."""

    SENT = auto()
    GONE = auto()
    """The browser does not want to be notified any more."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How the household sends. ``private``: push services in private networks and on any port are used, too.

    Example::

        Sender(private=store.page.push.key(), contact="mailto:anna@example.org").send(subscription, b"{}", 3600, "high")
    """

    key: bytes
    contact: str
    private: bool = False
    limits: Limits = LIMITS
    trust: str | None = None
    """A file of certificates instead of the system's, for tests."""

    def send(self, to: PushSubscription, message: bytes, ttl: int, urgency: str) -> Outcome:
        """Encrypt ``message`` for a browser and send it; its push service keeps it for ``ttl`` seconds.

        Raises PluginError, whose text has the host alone: who knows the whole address may try to send to it.
        """
        host = urlsplit(to.endpoint).hostname or "the push service"
        if (problem := endpoint_problem(to.endpoint, private=self.private)) is not None:
            raise PluginError(f"{host} is not used: {problem}", "subscribe this browser again")
        try:
            body = encrypt(message, to.public_key, to.auth, multiple=_MULTIPLE)
            self._post(to.endpoint, body, self._headers(to.endpoint, ttl, urgency))
        except HTTPError as error:
            error.close()
            if error.code in _GONE:
                return Outcome.GONE
            raise PluginError(f"{host} answered {error.code}", _advice(error.code)) from None
        except (OSError, HTTPException, ValueError) as error:
            raise PluginError(f"{host} cannot be reached: {_reason(error)}", "is the internet reachable?") from None
        return Outcome.SENT

    def _post(self, endpoint: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Post ``body``; the answer's body is not read, however long it is."""
        public = not self.private
        open_https(endpoint, self.limits, headers, body=body, trust=self.trust, only_public=public).close()

    def _headers(self, endpoint: str, ttl: int, urgency: str) -> dict[str, str]:
        return {
            "Authorization": authorization(endpoint, self.key, self.contact, time.time()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(ttl),
            "Urgency": urgency,
        }


def endpoint_problem(endpoint: str, *, private: bool = False) -> str | None:
    """Return why no message is sent to ``endpoint``, None if one may be: it is https, on its usual port.

    Where its name leads is checked when it is connected to. ``private``: any port.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port or _HTTPS
    except ValueError:
        return "it is no address"
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return "it is no https address"
    if len(endpoint) > LONGEST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return "it is no address"
    return None if private or port == _HTTPS else "a push service has the port 443"


def _reason(error: Exception) -> str:
    """Return the reason without the address."""
    inner = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(inner, PrivateAddressError | InsecureAddressError):
        return str(getattr(inner, "reason", inner))
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return type(inner).__name__


def _advice(status: int) -> str:
    if status in (401, 403):
        return "the clock may be wrong, or [web] push_contact is no address"
    if status == 429:
        return "it gets too many messages; it is tried again later"
    return "it is tried again later"
