"""The settings of google_home: the table [plugins.google_home] of the configuration."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from facesecure.alerts.plugins.api import PluginConfig
from facesecure_plugins.google_home.targets import Target


def _device_name(text: str) -> str:
    Target.parse(text)
    return text


def _ip_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


DeviceName = Annotated[str, AfterValidator(_device_name)]
IPAddress = Annotated[str, AfterValidator(_ip_address)]


class GoogleHomeConfig(PluginConfig):
    """[plugins.google_home]; attempt_seconds is over as soon as a device has begun to play."""

    devices: tuple[DeviceName, ...] = Field(
        (),
        description="where to speak: names as in the Google Home app, groups too, uuid:..., or an address; "
        "none: the only device there is",
    )
    volume: Annotated[float, Field(ge=0, le=1)] | Literal["keep"] = Field(
        0.6, description='volume of announcements, 0 to 1, restored afterwards; "keep": unchanged, muted or not'
    )
    confirm: Literal["any", "all"] = Field(
        "any", description="how many devices must have played it to the end before it counts as delivered"
    )
    serve_address: IPAddress | None = Field(
        None,
        description="this machine's address that devices fetch from; else the one they are reached from",
        examples=["192.168.1.20"],
    )
    serve_ports: str = Field(
        "0", description='port they fetch from, or a range such as "8200-8210", for a firewall; 0: any'
    )
    interfaces: tuple[IPAddress, ...] = Field(
        (), description="this machine's addresses on which to search for devices; none: on all"
    )
    attempt_seconds: float = Field(
        8.0,
        gt=0,
        le=600,
        description="seconds until a device must have begun to play; then the next channel in the chain is tried",
    )
    expires: float = Field(60.0, gt=0, description="seconds after which an alert is no longer worth announcing")

    @field_validator("serve_ports")
    @classmethod
    def _valid_ports(cls, value: str) -> str:
        if not ports(value):
            raise ValueError('a port, or two with a dash between them: "8200-8210"')
        return value


def ports(text: str) -> range:
    """Return the ports of "8200" or "8200-8210"; an empty range if ``text`` is neither."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.strip())
    if match is None:
        return range(0)
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, last + 1) if last < 65536 else range(0)
