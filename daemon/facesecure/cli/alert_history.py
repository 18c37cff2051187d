"""``facesecure alerts history``: what was told to whom, when, and what was not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of
from facesecure.domain.errors import UsageError

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.deliveries import AlertWithDeliveries, StoredDelivery


_STYLES = {"delivered": "green", "pending": "yellow", "attempting": "yellow"}
_RECENT = timedelta(days=1)


def show_history(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most this many alerts, the newest.")] = 50,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Made then or later: a date or time, today, 90m, 12h, 7d.")
    ] = None,
    plugin: Annotated[str | None, typer.Option(metavar="PLUGIN", help="Only what was for this plugin.")] = None,
    json: Json = False,
) -> None:
    """Show what was told to whom, and what expired, failed or still waits, newest first."""
    with settings_of(context).store() as store:
        told = store.outbox.history(limit, moment(since) if since else None, plugin)
    if json:
        output.emit_json({"alerts": [_document(one) for one in told]})
    elif told:
        output.table(("made", "what", "for", "state", "by", "at", "tries", "why"), _rows(told), right=("tries",))
    else:
        output.note("no alert" + (" that fits" if since or plugin else " yet"))


def open_deliveries(config: FacesecureConfig) -> dict[str, dict[str, int]]:
    """For each channel how many deliveries are "waiting", and how many went wrong ("failed") in the last day.

    Empty where nothing was ever stored, or the store cannot be read: that is for other commands to tell.
    """
    from facesecure.domain.deliveries import DeliveryState
    from facesecure.domain.errors import StoreError
    from facesecure.storage.store import DATABASE_NAME

    if not (state_of(config) / DATABASE_NAME).exists():
        return {}
    try:
        with open_store(config) as store:
            counts = store.outbox.counts(datetime.now(UTC) - _RECENT)
    except StoreError:
        return {}
    wrong = (DeliveryState.EXPIRED, DeliveryState.FAILED)
    return {
        channel: {
            "waiting": sum(count for state, count in states.items() if state.open),
            "failed": sum(states.get(state, 0) for state in wrong),
        }
        for channel, states in counts.items()
    }


def _rows(told: list[AlertWithDeliveries]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in told:
        made, text = one.alert.created_at, one.alert.text
        rows += [(made, text, *_cells(delivery)) for delivery in one.deliveries]
        rows += [] if one.deliveries else [(made, text, "nobody", None, None, None, None, "no plugin was in use")]
    return rows


def _cells(delivery: StoredDelivery) -> tuple[object, ...]:
    standing = delivery.standing
    state = standing.state.value
    by, at = (standing.by or None, standing.at) if standing.attempts else (None, None)
    return (
        delivery.channel,
        output.coloured(state, _STYLES.get(state, "red")),
        by,
        at,
        standing.attempts,
        standing.error,
    )


def _document(told: AlertWithDeliveries) -> dict[str, Any]:
    alert = told.alert
    return {
        "alert": alert.identifier,
        "kind": alert.kind.value,
        "text": alert.text,
        "created_at": alert.created_at,
        "held_back": alert.held_back,
        "sighting": alert.sighting.identifier if alert.sighting else None,
        "snapshot": alert.snapshot_path,
        "deliveries": [_delivery(one) for one in told.deliveries],
    }


def _delivery(delivery: StoredDelivery) -> dict[str, Any]:
    standing = delivery.standing
    return {
        "plugin": delivery.channel,
        "state": standing.state.value,
        "by": standing.by or None,
        "attempts": standing.attempts,
        "changed_at": standing.at,
        "expires_at": delivery.expires_at,
        "error": standing.error or None,
    }


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime | None = None) -> datetime:
    """An aware time in UTC from ISO 8601 (without a zone: the machine's), today, yesterday, or an age such as 12h.

    Raises UsageError for anything else.
    """
    now = now or datetime.now(UTC)
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if text.lower() in named:
        return named[text.lower()].astimezone(UTC)
    age = re.fullmatch(r"(\d{1,6})([smhdw])", text.lower())
    try:
        if age:
            return (now - timedelta(**{_UNITS[age[2]]: int(age[1])})).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a time", "write 2031-05-30, 2031-05-30T18:00, today, yesterday, or an age: 90m, 12h, 7d"
        ) from None
