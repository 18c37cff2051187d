"""Alerts reach every plugin, and no plugin delays another, a frame, or the shutdown."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

import pytest

from facesecure.alerts.delivery import delivery
from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.api import SerializedPlugin
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from support.delivery import AT_LEISURE, end_at_leisure, eventually
from support.plugins import Gate, alert


class Raises:
    def __init__(self, error: BaseException) -> None:
        self.error, self.calls = error, 0

    def send(self, alert: Alert) -> None:
        self.calls += 1
        raise self.error

    def close(self) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ready is sent, and what has failed is not tried again before the test has ended: on a slow machine too.

    A pause is shortened by up to nine tenths, by chance.
    """
    end_at_leisure(monkeypatch)
    monkeypatch.setattr(delivery, "RETRIES", replace(delivery.RETRIES, first=3000.0, longest=3000.0))


def texts(alerts: list[Alert]) -> list[str]:
    return [one.text for one in alerts]


def test_every_plugin_gets_every_alert_in_order() -> None:
    first, second = RecordingPlugin(), RecordingPlugin()
    with Dispatcher({"first": first, "second": second}) as dispatcher:
        for number in range(5):
            dispatcher.send(alert(str(number)))
    assert texts(first.alerts) == texts(second.alerts) == list("01234")


def test_a_plugin_that_hangs_delays_nobody() -> None:
    gate, recorder = Gate(), RecordingPlugin()
    with Dispatcher({"hangs": gate, "records": recorder}) as dispatcher:
        before = time.monotonic()
        for number in range(5):
            dispatcher.send(alert(str(number)))
        assert time.monotonic() - before < 15, "the plugin hangs for longer"
        assert texts(recorder.wait_for(5, timeout=60)) == list("01234")
        assert gate.sent == []
        gate.opened.set()
    assert gate.sent == list("01234")


def test_a_full_queue_drops_the_oldest_counts_it_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with Dispatcher({"slow": gate}, capacity=2) as dispatcher:
        dispatcher.send(alert("in hand"))
        assert gate.entered.wait(60)
        for number in range(4):
            dispatcher.send(alert(str(number)))
        # Together: it is counted before the one in whose favour it was dropped waits. And the one in hand.
        eventually(lambda: [(one.dropped, one.waiting) for one in dispatcher.reports()] == [(2, 3)])
        gate.opened.set()
    assert gate.sent == ["in hand", "2", "3"]
    loud = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(loud) == 2
    assert "'0' (1 dropped so far)" in loud[0]
    assert "'1' (2 dropped so far)" in loud[1]


class Unprintable(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "last_error"),
    [
        (PluginError("no sound", "turn it up"), "no sound\nturn it up"),
        (ZeroDivisionError("oops"), "ZeroDivisionError: oops"),
        (SystemExit(1), "SystemExit: 1"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (Unprintable(), "Unprintable: its message cannot be read"),
    ],
)
def test_a_plugin_that_raises_is_logged_counted_and_goes_on(
    error: BaseException, last_error: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken, recorder = Raises(error), RecordingPlugin()
    with Dispatcher({"broken": broken, "records": recorder}) as dispatcher:
        dispatcher.send(alert("one"))
        dispatcher.send(alert("two"))
    report = dispatcher.reports()[0]
    assert (broken.calls, report.failed, report.sent) == (2, 2, 0)
    assert report.last_error == last_error
    assert texts(recorder.alerts) == ["one", "two"]
    assert "plugin broken failed to send 'one'" in caplog.text


def test_only_a_bug_has_a_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with Dispatcher({"expected": Gone(), "bug": Bug()}) as dispatcher:
        dispatcher.send(alert())
    failures = [record for record in caplog.records if "failed to send" in record.message]
    traced = {record.message.split()[1]: record.exc_info is not None for record in failures}
    assert traced == {"expected": False, "bug": True}


class Gone:
    def send(self, alert: Alert) -> None:
        raise PluginError("the speaker is gone")


class Bug:
    def send(self, alert: Alert) -> None:
        raise KeyError("volume")


def test_a_success_after_a_failure_clears_the_last_error() -> None:
    class Recovers:
        calls = 0

        def send(self, alert: Alert) -> None:
            self.calls += 1
            if self.calls == 1:
                raise PluginError("not yet")

    with Dispatcher({"recovers": Recovers()}) as dispatcher:
        dispatcher.send(alert())
        dispatcher.send(alert())
    assert dispatcher.reports()[0].last_error == ""


def test_closing_sends_what_waits_and_then_closes_the_plugin_on_its_own_thread() -> None:
    gate = Gate()
    gate.opened.set()
    dispatcher = Dispatcher({"gate": gate})
    for number in range(3):
        dispatcher.send(alert(str(number)))
    assert gate.sent == [], "nothing is sent before the start"
    dispatcher.start()
    assert dispatcher.close(AT_LEISURE) == {}
    assert gate.sent == list("012")
    assert gate.closed_by == "plugin-gate"


def test_closing_gives_up_on_one_that_hangs_and_says_what_was_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    """Many hang: the difference between a second each and a second for all is larger than a machine's pauses."""
    gates, recorder = {f"gate {number}": Gate() for number in range(20)}, RecordingPlugin()
    dispatcher = Dispatcher({**gates, "records": recorder})
    dispatcher.start()
    for text in ("first", "second"):
        dispatcher.send(alert(text))
    for gate in gates.values():
        assert gate.entered.wait(60)
    eventually(lambda: dispatcher.reports()[-1].sent == 2)
    before = time.monotonic()
    unsent = dispatcher.close(1.0)
    assert time.monotonic() - before < 15, "the time is for all of them together"
    assert {name: texts(alerts) for name, alerts in unsent.items()} == {name: ["first", "second"] for name in gates}
    assert caplog.text.count("not sent: 'first'") == len(gates), caplog.text
    assert texts(recorder.alerts) == ["first", "second"]
    for gate in gates.values():
        gate.opened.set()


def test_closing_twice_is_closing_once() -> None:
    recorder = RecordingPlugin()
    with Dispatcher({"records": recorder}) as dispatcher:
        dispatcher.close()
        assert dispatcher.close() == {}
    assert recorder.closed


def test_an_alert_after_the_end_is_not_lost_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    with Dispatcher({}) as dispatcher:
        pass
    dispatcher.send(alert("too late"))
    assert "'too late'" in caplog.text


def test_a_plugin_that_fails_to_close_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Dispatcher({"broken": Raises(OSError("still in use"))}):
        pass
    assert "failed to close" in caplog.text


def test_closing_without_a_start_tells_what_waited() -> None:
    dispatcher = Dispatcher({"records": RecordingPlugin()})
    dispatcher.send(alert("never"))
    assert texts(dispatcher.close(0.1)["records"]) == ["never"]


def test_no_two_methods_of_a_plugin_run_at_once() -> None:
    class Overlapping:
        inside = 0
        worst = 0

        def _method(self, *arguments: object) -> None:
            self.inside += 1
            self.worst = max(self.worst, self.inside)
            time.sleep(0.01)
            self.inside -= 1

        check = send = close = _method

    plugin = Overlapping()
    guarded = SerializedPlugin(plugin)
    threads = [threading.Thread(target=guarded.check), threading.Thread(target=guarded.close)]
    threads += [threading.Thread(target=guarded.send, args=(alert(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plugin.worst == 1


def test_a_guarded_plugin_need_not_check_or_close() -> None:
    guarded = SerializedPlugin(Gone())
    guarded.check()
    guarded.close()


def test_many_threads_may_send() -> None:
    recorder = RecordingPlugin()
    with Dispatcher({"records": recorder}, capacity=1000) as dispatcher:

        def send_fifty() -> None:
            for _ in range(50):
                dispatcher.send(alert())

        threads = [threading.Thread(target=send_fifty) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(recorder.alerts) == 200
    assert dispatcher.reports()[0].sent == 200
