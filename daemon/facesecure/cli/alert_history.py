"""``facesecure alerts history``: the alerts, and how each was delivered."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of
from facesecure.domain.errors import UsageError

if TYPE_CHECKING:
    from facesecure.domain.deliveries import AlertWithDeliveries, StoredDelivery


_STYLES = {"delivered": "green", "pending": "yellow", "attempting": "yellow"}


def show_history(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of alerts; the newest are shown.")] = 50,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Created then or later: a date or time, 11:00, today, 90m, 12h, 7d."),
    ] = None,
    plugin: Annotated[str | None, typer.Option(metavar="PLUGIN", help="Only alerts for this plugin.")] = None,
    json: Json = False,
) -> None:
    """Show alerts and their deliveries, newest first.

    Also those that expired, failed or still wait.
    """
    with settings_of(context).store() as store:
        alerts = store.outbox.history(limit, moment(since) if since else None, plugin)
    if json:
        output.emit_json({"alerts": [_document(alert) for alert in alerts]})
    elif alerts:
        output.table(
            ("created", "text", "plugin", "state", "by", "at", "tries", "error"), _rows(alerts), right=("tries",)
        )
    else:
        output.note("no alert" + (" matches" if since or plugin else " yet"))


def _rows(alerts: list[AlertWithDeliveries]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in alerts:
        created, text = one.alert.created_at, one.alert.text
        rows += [(created, text, *_cells(delivery)) for delivery in one.deliveries]
        rows += [] if one.deliveries else [(created, text, None, None, None, None, None, "no plugin was in use")]
    return rows


def _cells(delivery: StoredDelivery) -> tuple[object, ...]:
    status = delivery.status
    state = status.state.value
    by, at = (status.by or None, status.at) if status.attempts else (None, None)
    return (
        delivery.channel,
        output.coloured(state, _STYLES.get(state, "red")),
        by,
        at,
        status.attempts,
        status.error,
    )


def _document(entry: AlertWithDeliveries) -> dict[str, Any]:
    alert = entry.alert
    return {
        "alert": alert.identifier,
        "kind": alert.kind.value,
        "text": alert.text,
        "created_at": alert.created_at,
        "held_back": alert.held_back,
        "sighting": alert.sighting.identifier if alert.sighting else None,
        "snapshot": alert.snapshot_path,
        "deliveries": [_delivery(one) for one in entry.deliveries],
    }


def _delivery(delivery: StoredDelivery) -> dict[str, Any]:
    status = delivery.status
    return {
        "plugin": delivery.channel,
        "state": status.state.value,
        "by": status.by or None,
        "attempts": status.attempts,
        "changed_at": status.at,
        "expires_at": delivery.expires_at,
        "error": status.error or None,
    }


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime | None = None) -> datetime:
    """Parse a time: ISO 8601 (without a zone, the machine's), now, today, yesterday, 11:00, or an age such as 12h.

    A time of day is the latest one that has passed. Returns an aware time in UTC. Raises UsageError for any other text.
    """
    now = now or datetime.now(UTC)
    try:
        return _instant(_named(text.lower(), now) or datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a time",
            "write 2031-05-30, 2031-05-30T18:00, 11:00, today, yesterday, or an age: 90m, 12h, 7d",
        ) from None


def _named(text: str, now: datetime) -> datetime | None:
    """Return the time that a word, a time of day or an age means at ``now``; None for any other text.

    Days are counted on the machine's calendar, without a zone: a day on which the clock changes has 23 or 25 hours.
    """
    today = datetime.combine(now.astimezone().date(), time())
    if age := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        moment = datetime.combine(today, time.fromisoformat(text.zfill(5 if text.count(":") == 1 else 8)))
        return moment if _instant(moment) <= now else moment - timedelta(days=1)
    return {"now": now, "today": today, "yesterday": today - timedelta(days=1)}.get(text)


def _instant(moment: datetime) -> datetime:
    """Return ``moment`` in UTC; one without a zone is on the machine's clock.

    Of a time that the clock skips, the end of the gap: in Chile, Lebanon and Egypt days begin at 01:00 in spring.
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    first, last = sorted(moment.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone().replace(tzinfo=None) == moment:
        return first
    before = first.astimezone().utcoffset()
    while first < last and first.astimezone().utcoffset() == before:
        first += timedelta(minutes=1)
    return first
