"""The section [web]: the page for phones and browsers."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from facesecure.config.base import Section

HOST = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError("must be an address, such as 192.168.1.2, or a network, such as 172.16.0.0/12") from error


Host = Annotated[str, Field(pattern=HOST, max_length=253)]
Network = Annotated[str, AfterValidator(_network)]
Contact = Annotated[str, Field(pattern=r"^(mailto:[^\s@\"]+@[^\s@\"]+|https://[^\s\"]+)$", max_length=200)]


class WebConfig(Section):
    """The page: what the house sees, for phones and browsers in the household."""

    enabled: bool = Field(True, description="whether the daemon answers the page; it still needs facesecure web setup")
    hosts: list[Host] = Field(
        default_factory=list,
        max_length=32,
        description="names by which browsers reach the page, beside this machine's own, NAME.local, localhost and its "
        "addresses",
        examples=[["facesecure.example.org"]],
    )
    trusted_proxies: list[Network] = Field(
        default_factory=list,
        max_length=32,
        description="addresses or networks of reverse proxies, which are believed what they say of the browser",
        examples=[["127.0.0.1"]],
    )
    port: int = Field(8443, ge=1, le=65535, description="the port of the page, for the addresses that are shown")
    live_minutes: float = Field(10.0, gt=0, le=1440, description="minutes after which live pictures stop")
    idle_minutes: float = Field(5.0, gt=0, le=1440, description="minutes without a browser after which the page ends")
    signed_in_days: float = Field(
        30.0, gt=0, le=366, description="days without a visit after which a browser has to sign in again"
    )
    push: bool = Field(
        True,
        description="whether browsers may ask for notifications, which reach them through their maker's push service",
    )
    push_contact: Contact = Field(
        "mailto:facesecure@example.com",
        description="your e-mail address (mailto:...) or web page (https://...), which push services get with each "
        "message; Apple's may refuse the example",
    )
    push_private: bool = Field(
        False,
        description="whether push services in private networks and on other ports are used, such as one of your own",
    )
