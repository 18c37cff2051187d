"""The section [updates]: whether to ask for newer versions, and whom."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from facesecure.config.base import Section, SettingError

_LONGEST = 500


def _https(address: str) -> str:
    try:
        parts = urlsplit(address)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError("must be an https address without a user name, such as https://example.org/releases.json")
    return address


Address = Annotated[str, AfterValidator(_https)]


class UpdatesConfig(Section):
    """Whether to ask once a day if there is a newer version. Nothing is ever installed, and off means no request."""

    check: bool = Field(False, description="whether to ask url, once a day, which version is the newest")
    url: Address | None = Field(
        None,
        max_length=_LONGEST,
        description='address of a JSON document that names the newest version, {"version": "0.3.0"}, or of a feed of '
        "releases (tag_name); its host sees your internet address, and nothing else of you",
        examples=["https://example.org/facesecure/releases/latest"],
    )

    @model_validator(mode="after")
    def _knows_whom_to_ask(self) -> UpdatesConfig:
        if self.check and self.url is None:
            raise SettingError("is missing: check = true needs the address to ask, an https one", ("url",))
        return self
