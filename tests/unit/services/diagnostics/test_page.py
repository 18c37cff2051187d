"""The doctor's check of the page's certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from facesecure.services.certificates.folder import discard_authority_key, issue
from facesecure.services.certificates.names import Names
from facesecure.services.diagnostics.page import judge_certificate
from facesecure.services.diagnostics.result import Health


@pytest.fixture
def folder(tmp_path):
    issue(tmp_path / "web", Names.of(["pi.local"]))
    return tmp_path / "web"


def judged(folder, days):
    return judge_certificate(folder, datetime.now(UTC) + timedelta(days=days))


def test_where_there_is_no_certificate_nothing_is_wrong(tmp_path):
    result = judged(tmp_path, 0)
    assert (result.health, "sudo facesecure web certificate" in result.message) == (Health.OK, True)


@pytest.mark.parametrize(("days", "health"), [(0, Health.OK), (360, Health.OK), (370, Health.WARN), (396, Health.FAIL)])
def test_a_month_before_it_expires_it_is_to_be_renewed(folder, days, health):
    result = judged(folder, days)
    assert result.health == health
    assert (result.remedy == "renew it: sudo facesecure web certificate") is (health != Health.OK)


def test_without_the_authority_s_key_the_remedy_is_another(folder):
    discard_authority_key(folder)
    assert "--new-authority" in judged(folder, 370).remedy
