"""A camera's troubles: each is notified at once, and a flapping camera causes few alerts."""

import pytest

from facesecure.config.policy import PolicyConfig
from facesecure.domain import AlertKind
from facesecure.domain.mode import Mode
from support.policy import Door, rules

OFFLINE, BACK = "The camera is offline", "The camera is back"


def test_a_trouble_is_told_at_once_and_its_end_when_it_has_lasted():
    door = Door(PolicyConfig(camera_settle=30))
    assert door.camera("offline") == [OFFLINE]
    assert door.camera("back") == []
    assert door.wait(29) == []
    assert door.wait(1) == [BACK]
    assert {alert.kind for alert in door.alerts} == {AlertKind.CAMERA}
    assert door.wait(3600) == []


def test_without_a_time_to_settle_the_end_is_told_at_once():
    door = Door(PolicyConfig(camera_settle=0))
    door.camera("offline")
    assert door.camera("back") == [BACK]


def test_a_camera_that_comes_and_goes_is_told_once_and_again_when_it_stays():
    door = Door()
    said = []
    for _ in range(30):
        said += door.camera("offline") + door.wait(20) + door.camera("back") + door.wait(10)
    assert said == [OFFLINE, f"{OFFLINE} (19 earlier alerts were held back)"], "once in each cool-down of ten minutes"
    assert door.wait(3600) == [f"{BACK} (9 earlier alerts were held back)"]


def test_a_camera_that_comes_and_goes_slowly_says_so_ever_less_often():
    door = Door()
    said = []
    for _ in range(30):
        said += door.camera("offline") + door.wait(60) + door.camera("back") + door.wait(60)
    assert said.count(BACK) <= 2
    assert len(said) < 12


def test_whoever_was_told_that_it_is_back_is_told_of_the_next_trouble_at_once():
    door = Door()
    for _ in range(3):
        assert door.camera("offline")[0].startswith(OFFLINE)
        door.camera("back")
        door.wait(600)
        assert door.alerts[-1].speech == BACK


def test_another_trouble_is_told_in_the_middle_of_the_first():
    door = Door()
    door.camera("offline")
    assert door.camera("covered") == ["The camera is covered or sees nothing"]
    assert door.camera("offline") == [], "told a moment ago, and nobody was told that it is over"


def test_that_it_is_back_is_no_news_where_nobody_was_told_that_it_was_gone():
    door = Door()
    assert door.camera("back") == []
    assert door.wait(3600) == []


def test_a_camera_that_failed_while_disarmed_is_told_of_when_somebody_arms():
    door = Door(mode=Mode.OFF)
    door.camera("offline")
    assert door.alerts.pop().channels == ("log",)
    door.arm(Mode.AWAY)
    assert door.wait(1) == [OFFLINE]
    assert door.alerts[-1].channels is None
    assert door.wait(10) == []


def test_a_camera_that_failed_and_came_back_while_disarmed_is_not():
    door = Door(mode=Mode.OFF)
    door.camera("offline")
    door.camera("back")
    door.arm(Mode.AWAY)
    door.wait(120)
    assert [alert.speech for alert in door.alerts] == [OFFLINE, BACK]


def test_a_rule_that_tells_nobody_of_the_camera_is_kept():
    door = Door(rules({"when": {"verdict": "camera"}, "channels": "none"}))
    assert door.camera("offline") == door.wait(60) == door.camera("back") == door.wait(60) == []


def test_what_no_camera_can_have_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="there is no sentence for a camera that is 'tired'"):
        Door().camera("tired")


def test_an_event_of_the_service_is_told_once_in_its_cool_down():
    door = Door()
    assert door.service("disk_full") == ["The disk is full"]
    door.wait(60)
    assert door.service("disk_full") == []
    assert door.service("restored") == ["The database was restored from a backup"]
    assert door.service("Google Home has not answered for a day") == ["Google Home has not answered for a day"]
    door.wait(3600)
    assert door.service("disk_full") == ["The disk is full (one earlier alert was held back)"]


def test_a_rule_may_give_the_camera_a_cool_down_of_its_own():
    door = Door(rules({"when": {"verdict": "camera"}, "cooldown": 0}))
    assert door.camera("offline") + door.camera("offline") == [OFFLINE, OFFLINE]


def test_an_event_of_the_service_that_only_the_log_heard_of_is_told_when_it_comes_again_armed():
    door = Door(mode=Mode.OFF)
    door.service("disk_full")
    assert door.alerts[-1].channels == ("log",)
    door.arm(Mode.HOME)
    assert door.service("disk_full") == ["The disk is full"]
    assert door.service("disk_full") == []
