"""What would happen if somebody came now is what happens, and asking changes nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.policy.arming import Armed
from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.rules import RuleSet
from facesecure.config.policy import PolicyConfig
from facesecure.domain.messages import Phrases
from facesecure.domain.mode import Mode
from facesecure.domain.schedule import Hours
from facesecure.services.what_if import Guest, Question, Why, what_if
from support.store import known, sighting

NIGHT = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
DAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Clock:
    boot = ""

    def __init__(self, at: datetime = DAY) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.at.timestamp()


class Plugin:
    def send(self, alert: object) -> None:
        raise AssertionError("somebody was notified")


class Speaks(Plugin):
    speaks = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ask(clock):
    def asked(question: Question, mode: Mode = Mode.HOME, plugins=("log", "speaker"), **settings):
        config = PolicyConfig.model_validate(settings)
        rules = RuleSet(config, plugins, {"google_home": "speaker"}, zone=ZoneInfo("UTC"))
        policy = Policy(Phrases(), rules, armed=lambda: Armed(mode), clock=clock)
        dispatcher = Dispatcher({name: Speaks() for name in plugins}, fallback={"google_home": "speaker"})
        return what_if(policy, dispatcher, question)

    return asked


def test_a_stranger_is_announced_with_the_channels_and_what_takes_over(ask):
    found = ask(Question(), plugins=("google_home", "speaker", "log"))
    assert found["notified"]
    assert found["sentence"] == "A stranger is at the front door"
    assert [(one["name"], one["then"]) for one in found["channels"]] == [("google_home", ["speaker"]), ("log", [])]
    assert (found["mode"], found["quiet"], found["rule"], found["why"]) == ("home", False, None, None)


def test_nobody_is_notified_while_the_house_is_disarmed(ask):
    assert ask(Question(), Mode.OFF)["why"] is Why.OFF
    assert ask(Question(mode=Mode.OFF))["why"] is Why.OFF
    assert ask(Question(mode=Mode.AWAY), Mode.OFF)["notified"]


def test_in_quiet_hours_only_a_stranger_is_spoken_of(ask):
    quiet = {"quiet": ["22:00-07:00"], "plugins": ("speaker",)}
    anna = Question(Guest.KNOWN, name="Anna", at=NIGHT)
    assert ask(anna, **quiet)["why"] is Why.QUIET
    assert ask(Question(Guest.KNOWN, name="Anna"), **quiet)["sentence"] == "Anna is at the front door"
    assert ask(Question(at=NIGHT), **quiet)["notified"]


def test_the_rule_that_decides_is_named(ask):
    rules = [{"when": {"verdict": "stranger"}, "cooldown": 5}, {"when": {"name": "Anna"}, "channels": "none"}]
    found = ask(Question(Guest.KNOWN, name="Anna"), rules=rules)
    assert (found["why"], found["rule"]) == (Why.RULE, 2)
    assert ask(Question(), rules=rules)["rule"] == 1


def test_a_person_without_a_face_raises_an_alert_and_an_animal_is_for_the_log(ask):
    assert [one["name"] for one in ask(Question(Guest.FACELESS))["channels"]] == ["log", "speaker"]
    assert [one["name"] for one in ask(Question(Guest.ANIMAL))["channels"]] == ["log"]
    assert ask(Question(Guest.ANIMAL), plugins=("speaker",))["why"] is Why.MOVEMENT


def test_no_plugin_in_use_reaches_nobody(ask):
    assert ask(Question(), plugins=())["why"] is Why.NO_CHANNEL


def test_a_cool_down_that_runs_is_told_and_asking_does_not_begin_one(clock):
    rules = RuleSet(PolicyConfig(), ["log"], zone=ZoneInfo("UTC"))
    policy, dispatcher = Policy(Phrases(), rules, clock=clock), Dispatcher({"log": Plugin()})
    anna = Question(Guest.KNOWN, name="Anna")
    assert what_if(policy, dispatcher, anna)["notified"]
    assert what_if(policy, dispatcher, anna)["notified"], "asking was remembered"
    assert policy.decide(sighting("a", known("Anna")))
    clock.at += timedelta(seconds=100)
    found = what_if(policy, dispatcher, anna)
    assert (found["why"], found["wait"]) == (Why.COOLDOWN, 200.0)
    assert what_if(policy, dispatcher, Question(Guest.KNOWN, name="Anna", at=clock.at + timedelta(seconds=201)))[
        "notified"
    ]
    clock.at += timedelta(seconds=201)
    (alert,) = policy.decide(sighting("b", known("Anna")))
    assert alert.held_back == 0, "the question was counted as a visit"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("22:00-07:00", "22:00-07:00"),
        ("weekdays 9:00-17:00", "Mon-Fri 09:00-17:00"),
        ("Sat,Sun 23:00-09:00", "Sat-Sun 23:00-09:00"),
        ("Sun-Mon,Wed 00:00-24:00", "Mon,Wed,Sun 00:00-24:00"),
    ],
)
def test_hours_are_written_as_they_are_read(text, written):
    assert Hours.parse(text).text == written
    assert Hours.parse(written) == Hours.parse(text)
