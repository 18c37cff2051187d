"""A test alert to the browsers that asked for notifications, as ``facesecure alerts test push`` sends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.config import FacesecureConfig
from facesecure.domain.accounts import Role
from facesecure.domain.errors import PluginError
from facesecure.services.alert_plugins import send_test_alert
from support.page_push import Household, notified_household
from support.push_service import answering


@pytest.fixture
def household(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Household]:
    """One whose certificates this machine trusts."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with notified_household(tmp_path) as household:
        monkeypatch.setenv("SSL_CERT_FILE", str(household.authority.root))
        yield household


def push(state_dir: Path, text: str | None = None, **web: object) -> float:
    config = FacesecureConfig.model_validate({"speech": {"voices": ["fake"]}, "web": {"push_private": True, **web}})
    with SpeechService(config.speech, state_dir) as speech:
        return send_test_alert("push", config, state_dir, speech, text)


def test_every_subscribed_browser_gets_the_test(household: Household) -> None:
    anna, ben = household.browser("Anna", "/a", Role.OWNER), household.browser("Ben", "/b", Role.VIEWER)
    assert push(household.store.state_dir) > 0
    assert push(household.store.state_dir, "Dinner is ready") > 0
    said = [
        [reader.read(one)["body"] for one in household.service.at(path)] for reader, path in ((anna, "/a"), (ben, "/b"))
    ]
    assert said[0] == said[1]
    assert "test" in said[0][0]
    assert said[0][1] == "Dinner is ready"


def test_where_nobody_has_subscribed_that_is_said_and_no_store_is_made(household: Household, tmp_path: Path) -> None:
    for state_dir in (household.store.state_dir, tmp_path / "none"):
        with pytest.raises(PluginError, match="no phone or computer has asked for notifications") as caught:
            push(state_dir)
        assert "More > Notifications" in str(caught.value.hint)
    assert not (tmp_path / "none" / "facesecure.db").exists()


def test_a_push_service_that_refuses_fails_the_test(household: Household) -> None:
    household.browser("Anna", "/a")
    household.service.answers["/a"] = answering(500)
    with pytest.raises(PluginError, match="answered 500"):
        push(household.store.state_dir)


def test_a_browser_that_wants_no_more_is_no_success(household: Household) -> None:
    household.browser("Anna", "/a")
    household.service.answers["/a"] = answering(410)
    with pytest.raises(PluginError, match="wants no more"):
        push(household.store.state_dir)
    assert household.store.page.push.all() == []


@pytest.mark.parametrize("web", [{"push": False}, {"enabled": False}])
def test_notifications_that_are_off_are_not_tried(household: Household, web: dict[str, object]) -> None:
    household.browser("Anna", "/a")
    with pytest.raises(PluginError, match="notifications are off"):
        push(household.store.state_dir, **web)
    assert household.service.pushes == []
