"""The clock jumps under a running daemon, as when a Pi without one hears the time from the network, or loses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from support.faults.clock import own_clock
from support.faults.household import Home, wait_until
from support.faults.table import fault
from support.mailbox import opened

pytestmark = pytest.mark.slow
COOLDOWN = 25.0


@pytest.fixture
def clock(home: Home) -> Callable[[float], None]:
    """Sets the clock of the daemon, and of nobody else, so many hours ahead of the true time."""
    return own_clock(home)


@fault(
    "clock jumps",
    how="3 hours ahead while an alert waits for a webhook that fails, then 6 hours back; a cool-down of 25 s",
)
def test_the_clock_jumps_both_ways(
    home: Home, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    with opened(monkeypatch) as mailbox:
        mailbox.answers = [503] * 3
        home.configure(f'[plugins.webhook]\nurl = "{mailbox.url}"\n')
        home.config.write_text(
            home.config.read_text().replace("stranger_cooldown = 0", f"stranger_cooldown = {COOLDOWN}")
        )
        with home.watched() as daemon:
            home.wait_for_alerts(1)
            clock(3)
            before, began = daemon.figures.cpu_times(), time.monotonic()
            home.wait_for_alerts(2, 60)
            clock(-3)
            alerts = home.wait_for_alerts(3, 60)
            after, took = daemon.figures.cpu_times(), time.monotonic() - began
            wait_until(lambda: len(mailbox.posts) >= 6, "third alert at the webhook")
    busy = (after.user + after.system - before.user - before.system) / took
    states = dict(home.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))
    kept = home.rows("SELECT count(*) FROM sightings")[0][0]
    first, second, third = (datetime.fromisoformat(alert["created_at"]) for alert in alerts)
    ahead, back = second - first - timedelta(hours=3), third - second + timedelta(hours=6)
    assert all(COOLDOWN - 1 < pause.total_seconds() < 2 * COOLDOWN for pause in (ahead, back)), "it heeds the clock"
    held = [alert["held_back"] for alert in alerts]
    assert min(held[1:]) > held[0] == 0
    assert states == {"delivered": 6}
    assert kept >= 3 + sum(held)
    assert busy < 0.9
    saw(
        f"the cool-down holds both times ({held[1]} and {held[2]} visits held back and "
        f"counted), {states['delivered']} of 6 deliveries made, none expired, none twice, all {kept} visits kept; "
        f"{busy:.0%} of one processor"
    )


@fault("clock jumps while an alarm waits", how="3 hours ahead, then 6 hours back, during an entry delay of 25 s")
def test_an_alarm_waits_as_long_as_it_should_while_the_clock_jumps(
    home: Home, clock: Callable[[float], None], saw: Callable[[str], None]
) -> None:
    delay = 25.0
    settings = f'[policy]\nmode = "away"\nentry_delay = {delay}\n'
    home.config.write_text(home.config.read_text().replace("[policy]\n", settings))
    looks = list[float]()

    def waits() -> bool:
        looks.append(time.monotonic())
        return bool(home.rows("SELECT count(*) FROM deliveries WHERE channel = 'entry_delay'")[0][0])

    with home.watched():
        wait_until(waits, "alarm that waits", 60)
        clock(3)
        time.sleep(delay / 3)
        clock(-3)
        home.wait_for_alerts(1, 90)
        waited = time.monotonic() - looks[-2]  # when it did not wait yet
    assert waited > delay - 5, "it waits from the frame, which is a moment older than what is kept of it"
    saw("it was sent at the end of the 25 s, neither earlier nor never")
