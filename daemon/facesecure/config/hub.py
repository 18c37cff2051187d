"""The section [hub]: the PostgreSQL database through which several doors share people, arming and sightings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, model_validator

from facesecure.config.base import Section

SCHEME = "postgresql+psycopg"
_DATABASE = re.compile(r"/[A-Za-z0-9_.-]{1,63}")
_OPTIONS = {"host"}


def hub_address(text: str) -> str:
    """Return ``text`` if it is the address of a hub without user and password. Raises ValueError otherwise."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not an address: postgresql+psycopg://hub.lan/doors") from None
    if parts.scheme != SCHEME or not _DATABASE.fullmatch(parts.path):
        raise ValueError("must be postgresql+psycopg://HOST/DATABASE, as facesecure hub init and join print it")
    if parts.username or parts.password:
        raise ValueError("must have no user and no password: each door has its own, which facesecure hub join makes")
    options = dict(parse_qsl(parts.query))
    if options.keys() - _OPTIONS or parts.fragment:
        raise ValueError("must have no options: the other settings of [hub] say how to connect")
    if not parts.hostname and not options.get("host", "").startswith("/"):
        raise ValueError("must name the hub's host")
    return text


HubUrl = Annotated[str, AfterValidator(hub_address)]


class HubConfig(Section):
    """The hub: only if several machines share one household. ``facesecure hub init`` and ``join`` say what to set."""

    database: HubUrl | None = Field(
        None,
        description="the hub's PostgreSQL database, without user and password; without it there is no hub",
        examples=["postgresql+psycopg://hub.lan/doors"],
    )
    ca: Path | None = Field(
        None,
        description="file of the authority that signed the hub's TLS certificate; by default the invitation's, "
        "or else the system's authorities",
        examples=["/etc/facesecure/hub/ca.pem"],
    )
    certificate: Path | None = Field(
        None,
        description="file of our own certificate, for a hub that wants one",
        examples=["/etc/facesecure/hub/client.pem"],
    )
    key: Path | None = Field(
        None, description="file of our certificate's key", examples=["/etc/facesecure/hub/client.key"]
    )
    crops: Literal["on-request", "never"] = Field(
        "on-request",
        description="on-request | never: whether this door shows faces of its visits to doors of the same household",
    )

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> HubConfig:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: set both, or neither")
        return self

    @property
    def enabled(self) -> bool:
        """Whether this door uses a hub."""
        return self.database is not None
