"""Times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from facesecure.errors import UsageError

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
