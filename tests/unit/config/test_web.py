"""The section [web]."""

import pytest
from pydantic import ValidationError

from facesecure.config.web import WebConfig


@pytest.mark.parametrize("host", ["facesecure.example.org", "door", "a-b.c", "x" * 63])
def test_a_host_is_a_name(host):
    assert WebConfig(hosts=[host]).hosts == [host]


@pytest.mark.parametrize(
    "host", ["", "http://door", "door:8443", "-a", "a-", "a..b", "a b", "door.", "*", "é", "x" * 64, "a\n"]
)
def test_and_nothing_else(host):
    with pytest.raises(ValidationError):
        WebConfig(hosts=[host])


def test_a_proxy_is_an_address_or_a_network():
    assert WebConfig(trusted_proxies=["192.168.1.2", "10.1.2.3/8", "::1"]).trusted_proxies == [
        "192.168.1.2/32",
        "10.0.0.0/8",
        "::1/128",
    ]
    with pytest.raises(ValidationError, match="must be an address"):
        WebConfig(trusted_proxies=["proxy.example.org"])
