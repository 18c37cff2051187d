"""The audit log for its owner: who did what and when, in pages, and whether the log is as facesecure wrote it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from facesecure.app.web_api.verb import Answer, Arguments, Call, Verb
from facesecure.domain.accounts import Role
from facesecure.services.audit import ACTIONS, Wanted, select, verify
from facesecure.storage.audit_entries import Entry

_LARGEST = 2**53 - 1
_MOST_BREAKS = 10


class Filter(Arguments):
    """Which entries: older than number ``before``, at most ``limit``; of an action, user, subject, the last days."""

    before: int | None = Field(None, ge=1, le=_LARGEST)
    limit: int = Field(50, ge=1, le=200)
    action: Literal["", *ACTIONS] = ""  # type: ignore[valid-type]
    actor: str = Field("", max_length=64)
    subject: str = Field("", max_length=120)
    days: int | None = Field(None, ge=1, le=3660)


def show(call: Call[Filter]) -> Answer:
    """Return entries, newest first, with where the next page begins, and every place where the chain breaks."""
    asked, found = call.arguments, verify(call.parts.state_dir)
    since = None if asked.days is None else datetime.now(UTC) - timedelta(days=asked.days)
    wanted = Wanted(since, asked.action or None, asked.actor or None, asked.subject or None)
    entries = [one for one in select(found.entries, wanted) if asked.before is None or one.number < asked.before]
    page = entries[: -asked.limit - 1 : -1]
    return Answer(
        {
            "entries": [_document(one) for one in page],
            "next": page[-1].number if len(entries) > len(page) else None,
            "intact": not found.breaks,
            "breaks": [{"number": one.number, "message": one.sentence} for one in found.breaks[:_MOST_BREAKS]],
            "broken": len(found.breaks),
            "notes": [*found.notes, *found.lost][:_MOST_BREAKS],
            "end": f"{found.end.number}:{found.end.hash}",
            "actors": sorted({one.actor.name for one in found.entries}),
            "actions": sorted({one.action for one in found.entries}),
        }
    )


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor.name,
        "origin": entry.actor.origin,
        "action": entry.action,
        "subjects": [subject.shown for subject in entry.subjects],
        "outcome": entry.outcome,
    }


VERBS = (Verb("audit", Role.OWNER, Filter, show),)
