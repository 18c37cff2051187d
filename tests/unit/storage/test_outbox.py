"""The outbox: alerts come back unchanged, with their deliveries, and old ones are removed."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import StoreConfig
from facesecure.domain import Alert, AlertKind, Box, Sighting, Verdict, VerdictKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.domain.errors import StoreError
from facesecure.domain.wire.alerts import StoredAlert
from facesecure.storage import database
from facesecure.storage.keys import KEY_NAME
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import STRANGER, enrolled_face, known, sighting

PENDING, ATTEMPTING, DELIVERED, EXPIRED, FAILED, WITHDRAWN = DeliveryState
PARIS = timezone(timedelta(hours=2))


def planned(*channels: str, seconds: float = 60) -> list[PlannedDelivery]:
    return [PlannedDelivery(channel, datetime.now(UTC) + timedelta(seconds=seconds)) for channel in channels]


def standings(store: Store) -> list[DeliveryStatus]:
    return [one.status for found in store.outbox.history() for one in found.deliveries]


ALERTS = [
    Alert(AlertKind.CAMERA, "The camera is offline"),
    Alert.about(sighting("s1", STRANGER), "A stranger", held_back=3, channels=("google_home", "log")),
    Alert.about(
        replace(
            sighting("s2", known("Zoë «🦊»"), supersedes="s1"),
            box=Box(-1.5, 2.25, 1 / 3, 40),
            first_seen=datetime(2031, 5, 1, 12, 0, 0, 1, PARIS),
            last_seen=datetime(2031, 5, 1, 12, 0, 0, 999999, PARIS),
            closing=True,
            staged=True,
        ),
        "Correction:\nZoë is at the door",
        speech="Zoë is here",
        snapshot_path=Path("/somewhere/with spaces ü/snapshots/2026/05/01/one.jpg"),
        channels=(),
        created_at=datetime(2031, 5, 1, 12, 0, 1, 7, PARIS),
    ),
    Alert.about(
        replace(
            sighting("s3"),
            verdict=Verdict(
                VerdictKind.STRANGER, "why", score=np.float32(0.1), evidence=float("-inf"), faces_used=np.int64(3)
            ),
            track=None,
        ),
        "numbers as the vision makes them",
    ),
]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.text[:12])
def test_an_alert_comes_back_equal_to_what_it_was(store: Store, alert: Alert) -> None:
    assert store.outbox.write(alert, planned("log"))
    (found,) = store.outbox.pending()
    assert found.alert == alert
    assert StoredAlert.model_validate(StoredAlert.of(alert).as_json()).alert() == alert


def test_nothing_that_an_alert_can_say_is_left_out() -> None:
    written = StoredAlert.of(ALERTS[1]).as_json()
    assert written.keys() == {field.name for field in fields(Alert)}
    assert written["sighting"].keys() == {field.name for field in fields(Sighting)} - {"faces", "snapshot"}
    assert written["sighting"]["verdict"].keys() == {field.name for field in fields(Verdict)}


def test_an_alert_is_written_once_with_all_its_deliveries(store: Store) -> None:
    alert = ALERTS[0]
    assert store.outbox.write(alert, planned("a", "b"))
    assert not store.outbox.write(alert, planned("c"))
    (found,) = store.outbox.pending()
    assert [one.channel for one in found.deliveries] == ["a", "b"]


def test_what_has_ended_is_no_longer_pending(store: Store) -> None:
    alert = ALERTS[0]
    store.outbox.write(alert, planned("a", "b", "c", "d", "e"))
    for channel, state in zip("bcde", (ATTEMPTING, DELIVERED, EXPIRED, FAILED), strict=True):
        store.outbox.mark(alert.identifier, channel, DeliveryStatus(state, 1))
    (found,) = store.outbox.pending()
    assert [(one.channel, one.status.state) for one in found.deliveries] == [("a", PENDING), ("b", ATTEMPTING)]


def test_pending_alerts_come_oldest_first(store: Store) -> None:
    now = datetime.now(UTC)
    for minutes in (2, 9, 5):
        created = now - timedelta(minutes=minutes)
        store.outbox.write(Alert(AlertKind.TEST, str(minutes), created_at=created), planned("a"))
    assert [found.alert.text for found in store.outbox.pending()] == ["9", "5", "2"]
    assert [found.alert.text for found in store.outbox.history(2)] == ["2", "5"]


def test_a_delivery_that_was_made_stays_made_and_keeps_why_it_was_late(store: Store) -> None:
    alert = ALERTS[0]
    store.outbox.write(alert, planned("a"))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(PENDING, 1, "a", "a: no device"))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(DELIVERED, 2, "b"))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(EXPIRED, 3))
    (standing,) = standings(store)
    assert (standing.state, standing.by, standing.attempts, standing.error) == (DELIVERED, "b", 2, "a: no device")


def test_what_is_said_late_of_an_earlier_attempt_changes_no_later_one_unless_it_delivered(store: Store) -> None:
    alert = ALERTS[0]
    store.outbox.write(alert, planned("a"))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(ATTEMPTING, 2, "b"))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(PENDING, 1, "a", "a: no answer"))
    (standing,) = standings(store)
    assert (standing.state, standing.attempts, standing.error) == (ATTEMPTING, 2, "a: no answer")
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(EXPIRED, 2))
    store.outbox.mark(alert.identifier, "a", DeliveryStatus(DELIVERED, 1, "a"))
    assert standings(store)[0].state is DELIVERED


def test_history_tells_of_one_channel_or_of_a_while(store: Store) -> None:
    old = Alert(AlertKind.TEST, "old", created_at=datetime.now(UTC) - timedelta(hours=2))
    store.outbox.write(old, planned("a"))
    store.outbox.write(new := Alert(AlertKind.TEST, "new"), planned("a", "b"))
    store.outbox.write(Alert(AlertKind.TEST, "to nobody"), [])
    assert [found.alert.text for found in store.outbox.history(channel="b")] == ["new"]
    assert [len(found.deliveries) for found in store.outbox.history(channel="b")] == [1]
    hour = datetime.now(UTC) - timedelta(hours=1)
    assert {found.alert.text for found in store.outbox.history(since=hour)} == {"new", "to nobody"}
    store.outbox.mark(new.identifier, "a", DeliveryStatus(DELIVERED, 1))
    assert store.outbox.counts(hour) == {"a": {PENDING: 1, DELIVERED: 1}, "b": {PENDING: 1}}


def test_one_that_cannot_be_read_hides_no_other(
    store: Store, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = Alert(AlertKind.TEST, "bad"), Alert(AlertKind.TEST, "good")
    for alert in (bad, good):
        store.outbox.write(alert, planned("a"))
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection, connection:
        connection.execute("UPDATE alerts SET document = '{}' WHERE identifier = ?", [bad.identifier])
    assert [found.alert.text for found in store.outbox.pending()] == ["good"]
    assert bad.identifier in caplog.text


def test_another_process_that_writes_for_long_is_not_waited_for(
    store: Store, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 120.0)  # others wait so long that no slow machine is taken for it
    with closing(sqlite3.connect(state_dir / "facesecure.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = time.monotonic()
        with pytest.raises(StoreError, match="another process"):
            store.outbox.write(ALERTS[0], planned("a"))
        assert time.monotonic() - before < 60
        other.execute("ROLLBACK")
    assert store.outbox.write(ALERTS[0], planned("a"))


def test_another_thread_that_writes_for_long_is_not_waited_for(store: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store._database.write():
            entered.set()
            leave.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert entered.wait(60)
        with pytest.raises(StoreError, match="busy"):
            store.outbox.write(ALERTS[0], planned("a"))
    finally:
        leave.set()
        holder.join()


# Forgetting ---------------------------------------------------------------------------------------------------------


def told_of_anna(store: Store) -> None:
    store.add_person("Anna", [enrolled_face()])
    store.outbox.write(
        Alert.about(sighting("s1", known("Anna")), "Anna is at the door", speech="ANNA's here"), planned("a")
    )
    verdict = Verdict(VerdictKind.STRANGER, "less like Anna than that", second_name="Anna", second_score=0.2)
    stranger = Alert.about(sighting("s2", verdict), "A stranger, not Annabel")
    store.outbox.write(stranger, planned("a"))
    store.outbox.mark(stranger.identifier, "a", DeliveryStatus(PENDING, 1, "a", "a: cannot say 'anna'"))


def test_who_is_removed_is_named_in_no_alert_any_more(store: Store, state_dir: Path) -> None:
    told_of_anna(store)
    store.remove_person("anna")
    one, other = (found.alert for found in store.outbox.pending())
    assert (one.text, one.speech) == ("somebody forgotten is at the door", "somebody forgotten's here")
    assert one.sighting is not None
    assert one.sighting.verdict.name == "somebody forgotten"
    assert other.text == "A stranger, not Annabel"
    key = state_dir / KEY_NAME  # has all sorts of letters by chance
    files = [path for path in state_dir.rglob("*") if path.is_file() and path != key]
    assert not any(b"anna" in path.read_bytes().lower().replace(b"annabel", b"") for path in files)


def test_who_is_renamed_is_called_so_in_past_alerts(store: Store) -> None:
    told_of_anna(store)
    store.rename_person("Anna", "Anne-Marie")
    assert store.outbox.history()[1].alert.text == "Anne-Marie is at the door"
    store.remove_person("Anne-Marie")
    assert store.outbox.history()[1].alert.text == "somebody forgotten is at the door"


def test_a_name_that_is_also_a_word_of_ours_spoils_no_alert(store: Store) -> None:
    store.add_person("Stranger", [enrolled_face()])
    store.outbox.write(Alert.about(sighting("s1", STRANGER), "A stranger is at the door"), planned("a"))
    store.remove_person("Stranger")
    (found,) = store.outbox.pending()
    assert found.alert.kind is AlertKind.STRANGER


def test_old_alerts_go_but_for_those_that_are_still_to_be_told(store: Store, state_dir: Path) -> None:
    created = [Alert(AlertKind.TEST, text, created_at=NOON) for text in ("told", "waiting", "expired")]
    for alert in created:
        seconds = 10.0 if alert.text == "expired" else 90 * 86400.0
        store.outbox.write(alert, [PlannedDelivery("a", NOON + timedelta(seconds=seconds))])
    store.outbox.mark(created[0].identifier, "a", DeliveryStatus(DELIVERED, 1))
    store.prune(StoreConfig(keep_days=0), NOON + timedelta(days=31))
    assert len(store.outbox.history()) == 3
    store.prune(StoreConfig(keep_days=30), NOON + timedelta(days=31))
    assert [found.alert.text for found in store.outbox.history()] == ["waiting"]
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        assert connection.execute("SELECT count(*) FROM deliveries").fetchone() == (1,)
