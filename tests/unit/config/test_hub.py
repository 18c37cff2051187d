"""The section [hub]."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from facesecure.config.hub import HubConfig


def test_there_is_no_hub_unless_one_is_named() -> None:
    assert not HubConfig().enabled
    assert HubConfig(database="postgresql+psycopg://hub.lan/facesecure").enabled
    assert HubConfig(database="postgresql+psycopg:///facesecure?host=/run/postgresql").enabled


@pytest.mark.parametrize(
    "address",
    [
        "hub.lan",
        "http://hub.lan/facesecure",
        "postgresql://hub.lan/facesecure",
        "postgresql+psycopg://hub.lan",
        "postgresql+psycopg:///facesecure",
        "postgresql+psycopg://eve@hub.lan/facesecure",
        "postgresql+psycopg://eve:secret@hub.lan/facesecure",
        "postgresql+psycopg://hub.lan/facesecure?sslmode=disable",
        "postgresql+psycopg://hub.lan:70000/facesecure",
        "postgresql+psycopg://[::1/facesecure",
    ],
)
def test_what_is_no_address_of_a_hub_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        HubConfig(database=address)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        HubConfig(certificate="/etc/facesecure/hub/client.pem")
