"""The section [mqtt]: the connection to a broker, for Home Assistant and others."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from facesecure.config.base import Section

_TOPIC = r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,4}$"
_CODE = r"^[0-9]{6,16}$"
_NAME = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
_WEEK = 7.0


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if len(text) > 253 or not re.fullmatch(_NAME, text):
            raise ValueError("must be a name, such as broker.local, or an address, such as 192.168.1.5") from None
    return text


Host = Annotated[str, AfterValidator(_host)]
Topic = Annotated[str, Field(pattern=_TOPIC)]


class MqttConfig(Section):
    """The broker that visits, states and commands go through; Home Assistant finds the house there by itself."""

    enabled: bool = Field(False, description="whether facesecure connects to the broker")
    host: Host = Field("localhost", description="the broker's name or address")
    port: int | None = Field(None, ge=1, le=65535, description="by default 1883, with tls 8883", examples=[1883])
    user: str | None = Field(None, max_length=256, description="the broker's user", examples=["facesecure"])
    password: str | None = Field(None, max_length=1024, description="the user's password", examples=["a-long-password"])
    tls: bool | None = Field(
        None,
        description="whether to encrypt, and check the broker's certificate; by default if ca or certificate is set",
        examples=[True],
    )
    ca: Path | None = Field(
        None,
        description="file of the authority that signed the broker's certificate; by default the system's authorities",
        examples=["/etc/facesecure/mqtt/ca.pem"],
    )
    certificate: Path | None = Field(
        None,
        description="file of our own certificate, for a broker that wants one",
        examples=["/etc/facesecure/mqtt/client.pem"],
    )
    key: Path | None = Field(
        None, description="file of our certificate's key", examples=["/etc/facesecure/mqtt/client.key"]
    )
    client_id: str | None = Field(
        None, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$",
        description="the name by which the broker knows us; by default from the topic",
        examples=["facesecure-pi1"],
    )  # fmt: skip
    protocol: Literal["5", "3.1.1"] = Field("5", description="5 | 3.1.1, for brokers that know no other")
    topic: Topic | None = Field(
        None,
        description="what all topics begin with; by default facesecure/ and the name of this machine",
        examples=["facesecure/pi1"],
    )
    discovery: Topic | None = Field("homeassistant", description="what Home Assistant's discovery topics begin with")
    pictures: bool = Field(True, description="publish pictures of visitors and cameras")
    retain_pictures: bool = Field(
        False, description="leave the last pictures on the broker, where they lie unencrypted"
    )
    disarm_code: str | None = Field(
        None,
        pattern=_CODE,
        description="6 to 16 digits that disarm over MQTT; without them nothing that comes over MQTT disarms",
        examples=["482915"],
    )
    expires_days: float = Field(
        _WEEK, gt=0, le=90, description="days after which a visit that the broker did not take is given up"
    )

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> MqttConfig:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: set both, or neither")
        if self.tls is False and (self.ca or self.certificate):
            raise ValueError("ca, certificate and key are for an encrypted connection: set tls = true")
        return self

    @property
    def broker_port(self) -> int:
        """The port of the broker."""
        return self.port or (8883 if self.encrypted else 1883)

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return self.ca is not None or self.certificate is not None if self.tls is None else self.tls

    @property
    def base(self) -> str:
        """What all topics begin with."""
        return self.topic or f"facesecure/{re.sub('[^A-Za-z0-9_-]+', '-', socket.gethostname())[:64] or 'house'}"

    @property
    def client(self) -> str:
        """The name by which the broker knows us."""
        return self.client_id or self.base.replace("/", "-")[:64]
