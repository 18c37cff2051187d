"""Deliveries: fallbacks, time-outs, delays and expiry, as scenarios."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.delivery import delivery
from facesecure.alerts.delivery.delivery import RETRIES
from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.delivery.durable_outbox import DurableOutbox
from facesecure.alerts.plugins.api import PluginConfig, SerializedPlugin
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus
from facesecure.domain.errors import PluginError, StoreError
from facesecure.storage.outbox import Outbox
from facesecure.storage.store import Store
from support.delivery import SkippedTime, end_at_leisure, eventually, plugins_have_ended
from support.plugins import Gate, alert

CHAIN = {"cast": "speaker"}


class Voice:
    """Speaks, after ``failures`` failed attempts; takes ``slow`` seconds an alert."""

    speaks = True

    def __init__(self, failures: float = 0, slow: float = 0.0, **settings: float) -> None:
        self.config = PluginConfig.model_validate(settings)
        self.failures, self.slow = failures, slow
        self.calls: list[Alert] = []
        self.said: list[str] = []

    def send(self, alert: Alert) -> None:
        self.calls.append(alert)
        time.sleep(self.slow)
        if self.failures >= len(self.calls):
            raise PluginError("no device")
        self.said.append(alert.text)


class Hung(Gate):
    """Accepts an alert and does not return until it is opened."""

    speaks = True

    def __init__(self, **settings: float) -> None:
        super().__init__()
        self.config = PluginConfig.model_validate({"attempt_seconds": 0.05, **settings})


NEVER = float("inf")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "RETRIES", replace(delivery.RETRIES, first=0.02, longest=0.1))
    end_at_leisure(monkeypatch)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SkippedTime:
    return SkippedTime(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


def ends(outbox: Outbox) -> dict[tuple[str, str], tuple[str, str, int]]:
    """(text, channel): (state, by, attempts)."""
    return {
        (told.alert.text, one.channel): (one.status.state.value, one.status.by, one.status.attempts)
        for told in outbox.history()
        for one in told.deliveries
    }


# The chain ----------------------------------------------------------------------------------------------------------


def test_a_fallback_gets_nothing_while_the_first_works() -> None:
    cast, speaker = Voice(), Voice()
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN) as dispatcher:
        dispatcher.send(alert("one"))
    assert (cast.said, speaker.said) == (["one"], [])


def test_a_fallback_speaks_at_once_where_the_first_fails_and_then_nobody_tries_again(store: Store) -> None:
    cast, speaker = Voice(failures=NEVER), Voice()
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: speaker.said)
        time.sleep(0.1)
        assert len(cast.calls) == 1
    assert ends(store.outbox) == {("one", "cast"): ("delivered", "speaker", 2)}


def test_that_an_attempt_failed_is_not_written_over_the_next_ones_beginning(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = list[tuple[str, int]]()
    write = store.outbox.mark

    def mark(identifier: str, channel: str, standing: DeliveryStatus) -> None:
        marks.append((standing.state.value, standing.attempts))
        write(identifier, channel, standing)

    monkeypatch.setattr(store.outbox, "mark", mark)
    cast, speaker = Voice(failures=1), Voice()
    plugins = {"cast": cast, "speaker": speaker}
    with Dispatcher(plugins, outbox=store.outbox, fallback={"cast": "speaker"}) as alerts:
        alerts.send(alert("one"))
        eventually(lambda: ("delivered", 2) in marks)
    assert ("pending", 1) in marks
    assert ("pending", 2) not in marks


def test_when_the_last_fails_too_the_first_is_tried_again_after_a_pause() -> None:
    cast, speaker = Voice(failures=2), Voice(failures=NEVER)
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN) as dispatcher:
        dispatcher.send(one := alert("one"))
        eventually(lambda: cast.said)
        assert {call.identifier for call in cast.calls + speaker.calls} == {one.identifier}
    assert (len(cast.calls), len(speaker.calls)) == (3, 2)


def test_a_hung_plugin_is_passed_over_until_it_comes_back() -> None:
    cast, speaker = Hung(attempt_seconds=0.5), Voice()
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN) as dispatcher:
        for text in ("first", "second"):
            dispatcher.send(alert(text))
        eventually(lambda: speaker.said == ["first", "second"])
        dispatcher.send(alert("third"))
        eventually(lambda: speaker.said == ["first", "second", "third"])
        assert dispatcher.reports()[0].hung
        cast.opened.set()
        eventually(lambda: not dispatcher.reports()[0].hung)
        dispatcher.send(alert("fourth"))
        eventually(lambda: cast.sent == ["first", "fourth"])
    assert speaker.said == ["first", "second", "third"]
    eventually(plugins_have_ended)


def test_a_late_answer_counts(store: Store) -> None:
    cast = Hung()
    with Dispatcher({"cast": cast}, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: dispatcher.reports()[0].hung)
        cast.opened.set()
        eventually(lambda: not dispatcher.reports()[0].waiting)
    assert ends(store.outbox) == {("one", "cast"): ("delivered", "cast", 1)}
    assert cast.sent == ["one"]


def test_what_waits_while_everybody_hangs_is_told_when_one_comes_back() -> None:
    cast = Hung()
    with Dispatcher({"cast": cast}) as dispatcher:
        for text in ("one", "two"):
            dispatcher.send(alert(text))
        eventually(lambda: dispatcher.reports()[0].hung)
        cast.opened.set()
        eventually(lambda: cast.sent == ["one", "two"])


def test_who_is_playing_is_not_cut_in_on() -> None:
    cast, speaker = Hung(attempt_seconds=0.5), Voice()
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN, speak_within=0.7) as dispatcher:
        dispatcher.send(one := alert("one"))
        cast.entered.wait(5)
        dispatcher.progress(one, "playing")
        time.sleep(1.0)
        assert speaker.calls == []
        assert not dispatcher.reports()[0].hung
        cast.opened.set()
    assert cast.sent == ["one"]


def test_a_chain_may_have_several_links_and_one_of_them_missing() -> None:
    last = Voice()
    plugins = {"cast": Voice(failures=NEVER), "last": last}
    with Dispatcher(plugins, fallback={"cast": "speaker", "speaker": "last"}) as dispatcher:
        dispatcher.send(alert("one"))
    assert last.said == ["one"]


def test_a_circle_of_fallbacks_is_refused() -> None:
    with pytest.raises(ValueError, match="a > b > a"):
        Dispatcher({}, fallback={"a": "b", "b": "a"})


# Who is told --------------------------------------------------------------------------------------------------------


def test_a_fallback_of_what_is_not_in_use_is_told_everything_itself() -> None:
    speaker = Voice()
    with Dispatcher({"speaker": speaker}, fallback=CHAIN) as dispatcher:
        dispatcher.send(alert("one"))
    assert speaker.said == ["one"]


def test_an_alert_goes_where_it_says_and_a_missing_channel_has_its_fallback(caplog: pytest.LogCaptureFixture) -> None:
    speaker, note = Voice(), Voice()
    with Dispatcher({"speaker": speaker, "note": note}, fallback=CHAIN) as dispatcher:
        dispatcher.send(Alert(AlertKind.TEST, "one", channels=("cast",)))
        dispatcher.send(Alert(AlertKind.TEST, "two", channels=("note",)))
        dispatcher.send(Alert(AlertKind.TEST, "three", channels=("nobody",)))
    assert (speaker.said, note.said) == (["one"], ["two"])
    assert "'three' is for plugin nobody, which is not in use" in caplog.text


def test_one_that_is_named_for_itself_does_not_say_it_twice() -> None:
    cast, speaker = Voice(failures=NEVER), Voice()
    with Dispatcher({"cast": cast, "speaker": speaker}, fallback=CHAIN) as dispatcher:
        dispatcher.send(Alert(AlertKind.TEST, "one", channels=("cast", "speaker")))
        eventually(lambda: len(cast.calls) > 2)
    assert speaker.said == ["one"]


def test_a_plugin_in_use_whose_fallback_is_not_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with Dispatcher({"cast": Voice()}, fallback=CHAIN):
        pass
    assert "its fallback speaker is not in use" in caplog.text


# Again, and until when ----------------------------------------------------------------------------------------------


def test_it_is_tried_until_it_expires_and_then_the_log_says_so(
    store: Store, clock: SkippedTime, caplog: pytest.LogCaptureFixture
) -> None:
    cast = Voice(failures=NEVER, expires=60.0, attempt_seconds=600)
    with Dispatcher({"cast": cast}, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: len(cast.calls) > 2)
        assert ends(store.outbox)["one", "cast"][0] in ("pending", "attempting")
        clock.skip(61.0)
        eventually(lambda: ends(store.outbox)["one", "cast"][0] == "expired")
    assert ends(store.outbox)["one", "cast"][0] == "expired"
    (error,) = [record.message for record in caplog.records if "expired" in record.message]
    assert error.startswith("expired: 'one' was not delivered by cast, after ")
    assert error.endswith("cast: no device")


def test_pauses_grow_and_are_left_to_chance() -> None:
    rng = random.Random(1)
    tries = [[RETRIES.delay(passes, rng) for _ in range(200)] for passes in (0, 1, 5, 40)]
    for pauses, limit in zip(tries, (2, 4, 64, 300), strict=True):
        assert limit / 10 <= min(pauses) < 0.3 * limit
        assert 0.8 * limit < max(pauses) <= limit


def test_a_new_alert_goes_before_what_failed_earlier() -> None:
    class Sending(Voice):
        def send(self, alert_: Alert) -> None:
            if len(self.calls) == 4:
                dispatcher.send(alert("new"))
            super().send(alert_)

    voice = Sending(failures=6, slow=0.02)
    with Dispatcher({"voice": voice}) as dispatcher:
        for number in range(5):
            dispatcher.send(alert(f"old {number}"))
        eventually(lambda: len(voice.said) == 6)
    place = [call.text for call in voice.calls].index("new")
    assert place <= 7, "at most what was under way, or began before it came"


def test_an_alert_is_told_whatever_the_wall_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = Voice(expires=60)
    with Dispatcher({"voice": voice}) as dispatcher:
        dispatcher.send(Alert(AlertKind.TEST, "from tomorrow", created_at=datetime.now(UTC) + timedelta(days=1)))
        dispatcher.send(Alert(AlertKind.TEST, "from yesterday", created_at=datetime.now(UTC) - timedelta(days=1)))
        dispatcher.send(alert("from today"))
        eventually(lambda: "from today" in voice.said)
    assert voice.said == ["from tomorrow", "from today"]


# After a restart ----------------------------------------------------------------------------------------------------


def test_what_was_not_delivered_is_told_at_the_next_start_as_the_same_alert(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with Dispatcher({"cast": Voice(failures=NEVER)}, outbox=store.outbox) as dispatcher:
        dispatcher.send(one := alert("one"))
    assert "kept for the next start: 'one'" in caplog.text
    later = Voice()
    with Dispatcher({"cast": later}, outbox=store.outbox):
        eventually(lambda: later.said)
    assert later.calls == [one]
    last = Voice()
    with Dispatcher({"cast": last}, outbox=store.outbox):
        pass
    assert last.calls == [], "what was delivered is never told again"


def test_what_expired_while_nobody_ran_is_closed_and_said(
    store: Store, clock: SkippedTime, caplog: pytest.LogCaptureFixture
) -> None:
    with Dispatcher({"cast": Voice(failures=NEVER, expires=60.0)}, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
    clock.skip(61.0)
    later = Voice(expires=60.0)
    with Dispatcher({"cast": later}, outbox=store.outbox):
        pass
    assert later.calls == []
    assert ends(store.outbox)["one", "cast"][0] == "expired"
    assert "expired while facesecure did not run: 'one'" in caplog.text


def test_an_attempt_that_nobody_saw_the_end_of_is_made_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    dispatcher = Dispatcher({"cast": gate}, outbox=store.outbox)
    dispatcher.start()
    dispatcher.send(alert("one"))
    gate.entered.wait(5)
    eventually(lambda: ends(store.outbox)["one", "cast"][0] == "attempting")
    dispatcher.close(0.05)
    later = Voice()
    with Dispatcher({"cast": later}, outbox=store.outbox):
        eventually(lambda: later.said)
    assert "1 perhaps a second time" in caplog.text
    gate.opened.set()
    eventually(plugins_have_ended)  # its late answer goes to the store, which must still be open


def test_what_waits_for_a_plugin_that_is_gone_stays_until_it_is_back(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with Dispatcher({"cast": Voice(failures=NEVER)}, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
    with Dispatcher({}, outbox=store.outbox):
        pass
    assert "'one' waits for plugin cast, which is not in use" in caplog.text
    back = Voice()
    with Dispatcher({"cast": back}, outbox=store.outbox):
        eventually(lambda: back.said)


def test_sending_the_same_alert_twice_tells_it_once(store: Store) -> None:
    voice = Voice()
    with Dispatcher({"voice": voice}, outbox=store.outbox) as dispatcher:
        dispatcher.send(one := alert("one"))
        dispatcher.send(one)
    assert voice.said == ["one"]


def test_an_alert_after_the_end_is_told_at_the_next_start(store: Store) -> None:
    with Dispatcher({"voice": Voice()}, outbox=store.outbox) as dispatcher:
        pass
    dispatcher.send(alert("late"))
    later = Voice()
    with Dispatcher({"voice": later}, outbox=store.outbox):
        eventually(lambda: later.said == ["late"])


# A store that fails -------------------------------------------------------------------------------------------------


class Broken:
    """An outbox on a full disk, until ``well``."""

    def __init__(self, outbox: Outbox, error: Exception) -> None:
        self.outbox, self.error, self.well = outbox, error, False

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if not self.well:
                raise self.error
            return getattr(self.outbox, name)(*arguments)

        return call


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a bug")])
def test_a_full_disk_silences_no_alarm_and_is_caught_up_with(
    store: Store, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    broken, voice = Broken(store.outbox, error), Voice()
    with Dispatcher({"voice": voice}, outbox=broken) as dispatcher:
        dispatcher.send(alert("one"))
        dispatcher.send(alert("two"))
        eventually(lambda: voice.said == ["one", "two"])
        broken.well = True
    assert [r.levelno for r in caplog.records if "is not on the disk" in r.message] == [logging.CRITICAL] * 2
    assert ends(store.outbox) == {(text, "voice"): ("delivered", "voice", 1) for text in ("one", "two")}


class Poisoned:
    """An outbox that cannot take one kind of mark, and never will."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def mark(self, alert: str, channel: str, standing: DeliveryStatus) -> None:
        if channel == "odd":
            raise ValueError("a mistake in the program")
        self.outbox.mark(alert, channel, standing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outbox, name)


def test_what_can_never_be_written_does_not_keep_the_rest_from_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(DurableOutbox.__init__, "__defaults__", (0.01,))
    with Dispatcher({"odd": Voice(), "voice": Voice()}, outbox=Poisoned(store.outbox)) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: caplog.text.count("given up") == 2)
        dispatcher.send(alert("two"))
        eventually(lambda: ends(store.outbox).get(("two", "voice")) == ("delivered", "voice", 1))
    assert ends(store.outbox)["one", "voice"] == ("delivered", "voice", 1)


def test_an_error_whose_words_are_no_text_can_be_written_too(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "facesecure")  # what is no text cannot go from one test process to another

    class Odd(Voice):
        def send(self, alert: Alert) -> None:
            raise FileNotFoundError("no file bad\udcffname")

    with Dispatcher({"odd": Odd()}, outbox=store.outbox) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: store.outbox.pending()[0].deliveries[0].status.error != "")
    assert store.outbox.pending()[0].deliveries[0].status.error == "odd: FileNotFoundError: no file bad\\udcffname"


# In time ------------------------------------------------------------------------------------------------------------


def loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.CRITICAL]


def test_when_nothing_speaks_in_time_the_log_says_so_loudly_and_why(
    clock: SkippedTime, caplog: pytest.LogCaptureFixture
) -> None:
    cast, speaker = Hung(attempt_seconds=0.1), Voice(failures=NEVER)
    plugins: dict[str, Any] = {"cast": SerializedPlugin(cast, cast.config), "speaker": speaker, "note": Gate()}
    with Dispatcher(plugins, fallback=CHAIN, speak_within=15.0) as dispatcher:
        dispatcher.send(alert("A stranger is at the door"))
        eventually(lambda: len(speaker.calls) > 1)  # so that the first failures of both are known
        assert loud(caplog) == []
        clock.skip(15.0)
        eventually(lambda: loud(caplog))
        cast.opened.set()
        plugins["note"].opened.set()
    (message,) = loud(caplog)
    said = re.match(r"NOTHING HAS SPOKEN within (\d+\.\d) s: 'A stranger is at the door' \(alert ", message)
    assert said is not None
    assert float(said[1]) >= 15.0
    assert message.endswith("cast: no answer within 0.1 s; speaker: no device")


def test_one_that_says_it_plays_and_then_fails_has_not_spoken(
    clock: SkippedTime, caplog: pytest.LogCaptureFixture
) -> None:
    heard = threading.Event()

    class Lies(Voice):
        def send(self, alert: Alert) -> None:
            dispatcher.progress(alert, "playing")
            heard.wait(30)
            clock.skip(20.0)  # past the time to speak in, and not past the attempt's
            raise PluginError("the sound device does not open")

    def follow(alert: Alert, channel: str, step: str) -> None:
        if step == "playing":
            heard.set()

    with Dispatcher({"cast": Lies()}, speak_within=15.0, on_step=follow) as dispatcher:
        dispatcher.send(alert("one"))
        eventually(lambda: loud(caplog))
    assert "cast: the sound device does not open" in loud(caplog)[0]


def test_nothing_loud_is_said_where_the_fallback_has_spoken(
    clock: SkippedTime, caplog: pytest.LogCaptureFixture
) -> None:
    cast, steps = Hung(), list[tuple[str, str]]()
    with Dispatcher(
        {"cast": cast, "speaker": Voice()}, fallback=CHAIN, speak_within=15.0,
        on_step=lambda alert, channel, step: steps.append((channel, step)),
    ) as dispatcher:  # fmt: skip
        dispatcher.send(alert("one"))
        eventually(lambda: ("speaker", "delivered") in steps)
        clock.skip(20.0)
        cast.opened.set()  # its late answer has the dispatcher look at the clock again
        eventually(lambda: not dispatcher.reports()[0].hung)
    assert loud(caplog) == []


def test_plugins_that_do_not_speak_may_take_their_time(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with Dispatcher({"note": gate}, speak_within=0.05) as dispatcher:
        dispatcher.send(alert("one"))
        time.sleep(0.2)
        gate.opened.set()
    assert loud(caplog) == []


# Who watches --------------------------------------------------------------------------------------------------------


def test_every_step_of_an_alert_is_told_in_its_order(store: Store) -> None:
    steps: list[tuple[str, str]] = []
    speaker = Voice()
    dispatcher = Dispatcher(
        {"cast": Voice(failures=NEVER), "speaker": speaker},
        outbox=store.outbox,
        fallback=CHAIN,
        on_step=lambda alert, channel, step: steps.append((channel, step)),
    )
    speaker.send = lambda alert: dispatcher.progress(alert, "playing")  # type: ignore[method-assign]
    with dispatcher:
        dispatcher.send(alert("one"))
    assert steps == [
        ("cast", "written"),
        ("cast", "attempting"),
        ("cast", "failed"),
        ("speaker", "attempting"),
        ("speaker", "playing"),
        ("speaker", "delivered"),
    ]


def test_a_watcher_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fails(alert: Alert, channel: str, step: str) -> None:
        raise ValueError("looked away")

    voice = Voice()
    with Dispatcher({"voice": voice}, on_step=fails) as dispatcher:
        dispatcher.send(alert("one"))
    assert voice.said == ["one"]
    assert "looked away" in caplog.text


def test_states_know_which_of_them_are_ends() -> None:
    assert [state for state in DeliveryState if state.open] == [DeliveryState.PENDING, DeliveryState.ATTEMPTING]
