"""Which certificate the page offers to phones before anybody signs in."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from facesecure.services.certificates.folder import AUTHORITY, SERVER, issue
from facesecure.services.certificates.names import Names
from facesecure.web.app import build_app
from facesecure.web.daemon import Daemon
from facesecure.web.screens.authority import authority, household_authority
from facesecure.web.settings import CurrentSettings
from support.tls import Authority


def test_the_household_s_authority_is_found_behind_the_page_s_certificate(tmp_path):
    issue(tmp_path / "web", Names.of(["pi.local"]))
    expected = ssl.PEM_cert_to_DER_cert((tmp_path / "web" / AUTHORITY).read_text())
    assert household_authority(tmp_path / "web" / SERVER) == expected


def test_somebody_else_s_authority_is_not_offered(tmp_path):
    chain = tmp_path / "chain.pem"
    root = Authority(tmp_path).root.read_text()
    chain.write_text(root + root)
    assert household_authority(chain) is None
    assert household_authority(None) is None


def get(tmp_path, certificate):
    app = build_app(Daemon([tmp_path / "web.sock"]), CurrentSettings(), certificate)
    return asyncio.run(authority(Request({"type": "http", "app": app})))


def test_a_phone_takes_it_for_a_certificate(tmp_path):
    answer = get(tmp_path, b"der")
    assert (answer.status_code, answer.body) == (200, b"der")
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"


def test_where_the_page_has_another_there_is_nothing(tmp_path):
    with pytest.raises(HTTPException) as refused:
        get(tmp_path, None)
    assert refused.value.status_code == 404
