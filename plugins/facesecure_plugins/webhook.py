"""The webhook plugin: post every alert as signed JSON to a URL.

The signature follows Standard Webhooks 1.0 (standardwebhooks.com): HMAC-SHA256 over "ID.TIMESTAMP.BODY", so that any of
its libraries can check it. The ID is the alert's identifier at every attempt, by which a receiver can ignore
repetitions.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from facesecure.domain.wire.alerts import AlertMessage

if TYPE_CHECKING:
    from requests import PreparedRequest

SECRET_PREFIX = "whsec_"
_MIN_SECRET_BYTES = 16
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa1-\xff])?)?")


def _web_address(url: str) -> str:
    if url and not url.lower().startswith(("http://", "https://")):
        raise ValueError("a web address begins with http:// or https://")
    if not url:
        return url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("its port is no number from 1 to 65535, or a bracket is missing") from None
    if not parts.hostname or port == 0:
        raise ValueError("its port is no number from 1 to 65535" if parts.hostname else "it names no host")
    return url


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Return ``headers``. Raises ValueError for one that HTTP cannot carry (RFC 9110, section 5); shows no value."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} must be Latin text on one line, without spaces around it")
    return headers


def _secret(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and len(key_of(secret.get_secret_value())) < _MIN_SECRET_BYTES:
        raise ValueError(f"a secret has at least {_MIN_SECRET_BYTES} bytes; create one with: openssl rand -hex 24")
    return secret


class WebhookPlugin:
    """Posts every alert as JSON to an address, signed.

    Example::

        WebhookPlugin(WebhookPlugin.Config(url="https://example.org/door", secret="whsec_...")).send(alert)
    """

    class Config(PluginConfig):
        """[plugins.webhook]."""

        url: Annotated[str, AfterValidator(_web_address)] = Field("", description="where to post to")
        secret: Annotated[SecretStr, AfterValidator(_secret)] = Field(
            SecretStr(""), description="key that signs every message: whsec_ and base64, or any text; empty: unsigned"
        )
        headers: Annotated[dict[str, str], AfterValidator(_sendable)] = Field(
            default_factory=dict, description="further headers, such as Authorization"
        )
        picture: bool = Field(False, description="include the snapshot, as base64 in picture_jpeg")
        connect_seconds: float = Field(5.0, gt=0, le=60, description="how long to wait for a connection")
        answer_seconds: float = Field(10.0, gt=0, le=300, description="how long to wait for the answer")
        verify: bool = Field(True, description="check the certificate of an https address")

    def __init__(self, config: Config) -> None:
        """Store the settings."""
        self._config = config

    def check(self) -> None:
        """Raise PluginError if no address is set. Sends nothing: most receivers take any post for an alert."""
        self._url()
        self.check_settings()

    def check_settings(self) -> None:
        """Raise PluginError for an address that no request can have, such as one with a space in its host."""
        import requests

        if not self._config.url:
            return
        try:
            requests.Request("POST", self._config.url).prepare()
        except (requests.RequestException, ValueError):  # its text may hold the password
            raise PluginError("no host can have the name in its url", "check [plugins.webhook] url") from None

    def send(self, alert: Alert) -> None:
        """Post ``alert``. Raises PluginError, without secrets of the address, unless the response is 2xx."""
        import requests

        body = self._body(alert)
        limits = (self._config.connect_seconds, self._config.answer_seconds)
        try:
            with requests.post(
                self._url(),
                data=body,
                headers=self._headers(alert.identifier, body),
                auth=requests.utils.get_auth_from_url(self._url()) if "@" in urlsplit(self._url()).netloc else _as_set,
                timeout=limits,
                allow_redirects=False,
                verify=self._config.verify,
                stream=True,  # the body of the response is not read, however long it is
            ) as response:
                status = response.status_code
        except requests.RequestException as error:
            raise PluginError(
                f"{self._place()} cannot be reached: {_reason(error)}", "is it on, and is the url right?"
            ) from None
        if not 200 <= status < 300:
            raise PluginError(f"{self._place()} answered {status}", _advice(status))

    def _body(self, alert: Alert) -> bytes:
        content: dict[str, Any] = AlertMessage.of(alert).as_json()
        if self._config.picture:
            content["picture_jpeg"] = _base64(alert.snapshot_path)
        return json.dumps(content, ensure_ascii=False).encode()

    def _headers(self, identifier: str, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        own = {"content-type": "application/json; charset=utf-8", "webhook-id": identifier, "webhook-timestamp": stamp}
        if secret := self._config.secret.get_secret_value():
            own["webhook-signature"] = signature(secret, identifier, stamp, body)
        return {**self._config.headers, **own}

    def _url(self) -> str:
        if not self._config.url:
            raise PluginError("no address is set", 'set [plugins.webhook] url = "https://..."')
        return self._config.url

    def _place(self) -> str:
        """Return the address without its path, which may contain a token."""
        parts = urlsplit(self._config.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"


def _as_set(request: PreparedRequest) -> PreparedRequest:
    """Return ``request``: an authentication of this kind keeps requests from taking one from ``~/.netrc``."""
    return request


def signature(secret: str, identifier: str, timestamp: str, body: bytes) -> str:
    """Return the header webhook-signature: "v1," and the base64 of HMAC-SHA256 (Standard Webhooks 1.0)."""
    signed = hmac.new(key_of(secret), f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def key_of(secret: str) -> bytes:
    """Return the bytes of a key: base64 after "whsec_", as in the standard, or any text. Raises ValueError."""
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raise ValueError("the part after whsec_ is not base64") from None


def _base64(snapshot: Path | None) -> str | None:
    """Return the encoded file; None if it is missing, as after retention, since the alert matters more."""
    try:
        return None if snapshot is None else base64.b64encode(snapshot.read_bytes()).decode()
    except OSError:
        return None


def _reason(error: Exception) -> str:
    """Return the innermost cause in a few words; the library's own text contains the whole address."""
    while (inner := error.__cause__ or error.__context__) is not None and isinstance(inner, Exception):
        error = inner
    return getattr(error, "strerror", None) or type(error).__name__


def _advice(status: int) -> str:
    if status in (401, 403):
        return "check [plugins.webhook] secret and headers"
    if 300 <= status < 400:
        return "redirects are not followed: set [plugins.webhook] url to the new address"
    return "check [plugins.webhook] url, and the receiver's own log"
