"""The MQTT broker fails, or we do: no visit is lost on its way to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.domain.deliveries import MQTT, DeliveryState
from facesecure.storage.store import Store
from support.faults.table import fault
from support.mqtt.broker import Broker, Heard, Listener, listening, running_broker
from support.mqtt.household import sending, visit
from support.store import environment

Saw = Callable[[str], None]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    with listening(broker.port, lasting=True) as listener:
        yield listener


def identifiers(heard: list[Heard]) -> list[str]:
    return [json.loads(one.payload)["alert"] for one in heard]


def all_of(wanted: set[str]) -> Callable[[list[Heard]], bool]:
    return lambda heard: wanted <= set(identifiers(heard))


def until_delivered(store: Store, wanted: set[str], seconds: float = 60.0) -> None:
    """Wait until the outbox says that all ``wanted`` are delivered."""
    deadline = time.monotonic() + seconds
    while left := wanted - delivered(store):
        assert time.monotonic() < deadline, (
            len(left),
            {one: state for one, state in states(store).items() if one in left},
        )
        time.sleep(0.2)


def delivered(store: Store) -> set[str]:
    return {one for one, state in states(store).items() if state is DeliveryState.DELIVERED}


def states(store: Store) -> dict[str, DeliveryState]:
    return {one.alert.identifier: one.deliveries[0].status.state for one in store.outbox.history(2000)}


def kill_when_it_owes_nothing(broker: Broker, listener: Listener, store: Store) -> None:
    """Kill ``broker`` as soon as it has passed on all that it has confirmed: mosquitto itself would lose the rest."""
    deadline = time.monotonic() + 60
    assert broker.process is not None
    while True:
        broker.process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)  # what it has sent until now arrives
        if delivered(store) <= set(identifiers(listener.on("/event"))):
            return broker.stop(kill=True)
        assert time.monotonic() < deadline
        broker.process.send_signal(signal.SIGCONT)
        time.sleep(0.02)


@fault("MQTT broker killed and restarted", how="`kill -9` of a real mosquitto twice, while 150 visits come")
def test_a_broker_that_restarts_loses_no_visit(broker: Broker, listener: Listener, tmp_path: Path, saw: Saw) -> None:
    wanted = {f"visit-{number}" for number in range(150)}
    broker.save()  # whom it serves: it has to know that at its next start, whoever comes back first
    with sending(tmp_path / "state", broker.port) as (dispatcher, store):
        for number in range(150):
            dispatcher.send(visit(number))
            if number in (40, 100):
                until_delivered(store, {f"visit-{number - 30}"})
                kill_when_it_owes_nothing(broker, listener, store)
            elif number in (70, 120):
                broker.start()
            time.sleep(0.01)
        until_delivered(store, wanted)
    found = identifiers(listener.wait("/event", all_of(wanted)))
    assert set(found) == wanted
    saw(f"150 of 150 visits arrived, {len(found) - len(wanted)} of them twice")


@pytest.mark.slow
@fault("daemon killed while it publishes", how="`kill -9` of the sending process six times, at any moment")
def test_a_process_that_is_killed_loses_no_visit(broker: Broker, listener: Listener, tmp_path: Path, saw: Saw) -> None:
    accepted = tmp_path / "accepted"
    accepted.touch()
    words = [sys.executable, "-m", "support.mqtt.household", str(tmp_path / "state"), str(broker.port)]
    for life in range(6):
        before = len(accepted.read_text().splitlines())
        child = subprocess.Popen([*words, str(life), str(accepted)], env=environment())
        deadline = time.monotonic() + 60
        while len(accepted.read_text().splitlines()) < before + 10 + 7 * life:
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
    wanted = set(accepted.read_text().splitlines())
    with sending(tmp_path / "state", broker.port):
        found = identifiers(listener.wait("/event", all_of(wanted), 120))
    saw(f"{len(wanted)} visits accepted, all arrived, {len(found) - len(set(found))} of them twice")


@fault(
    "MQTT broker confirms nothing", how="a real mosquitto stopped (SIGSTOP) while 400 visits come, more than its queue"
)
def test_a_broker_that_hangs_loses_no_visit(broker: Broker, listener: Listener, tmp_path: Path, saw: Saw) -> None:
    wanted = {f"visit-{number}" for number in range(400)}
    with sending(tmp_path / "state", broker.port) as (dispatcher, store):
        dispatcher.send(visit(0))
        until_delivered(store, {"visit-0"})
        assert broker.process is not None
        broker.process.send_signal(signal.SIGSTOP)
        for number in range(1, 400):
            dispatcher.send(visit(number))
        time.sleep(2)
        counts = store.outbox.counts(datetime.now(UTC) - timedelta(hours=1))[MQTT]
        assert counts[DeliveryState.DELIVERED] == 1, "without its PUBACK nothing counts as delivered"
        broker.process.send_signal(signal.SIGCONT)
        until_delivered(store, wanted, 120)
    found = identifiers(listener.wait("/event", all_of(wanted)))
    saw(f"400 of 400 arrived, {len(found) - len(wanted)} of them twice")


@fault("MQTT broker gone for a week", how="visits made up to nine days ago, of a house that had no broker since")
def test_visits_of_a_week_are_kept_and_older_ones_are_given_up(
    broker: Broker, listener: Listener, tmp_path: Path, saw: Saw
) -> None:
    broker.stop()
    now = datetime.now(UTC)
    ages = {f"visit-{hours}": hours for hours in range(0, 9 * 24, 8)}
    with sending(tmp_path / "state", broker.port) as (dispatcher, store):
        for hours in ages.values():
            dispatcher.send(visit(hours, now - timedelta(hours=hours)))
    kept = {one for one, hours in ages.items() if hours < 7 * 24}
    broker.start()
    with sending(tmp_path / "state", broker.port) as (_, store):
        until_delivered(store, kept)
        ended = states(store)
    heard = listener.wait("/event", all_of(kept))
    assert set(identifiers(heard)) == kept
    assert {ended[one] for one in ages.keys() - kept} == {DeliveryState.EXPIRED}
    oldest = max(json.loads(one.payload)["age"] for one in heard)
    saw(f"{len(kept)} of seven days arrived, with their age; older ones are `expired` in `alerts list`")
    assert oldest > 6.5 * 86400
