"""Times as people say them, in their language and this machine's time zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from facesecure.web.language import Language

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
TEXTS = (*_DAYS, *_MONTHS)
"""The texts of this module that are put together, for the test of the catalogues."""


def time_of(when: str | datetime) -> datetime:
    """Return ``when``, an ISO text or a time, in this machine's time zone."""
    time = datetime.fromisoformat(when) if isinstance(when, str) else when
    return time.astimezone()


def clock(when: datetime) -> str:
    """Return the time of day: 17:05."""
    return f"{when:%H:%M}"


def ago(when: datetime, _: Language, now: datetime | None = None) -> str:
    """Return how long ago ``when`` was: "just now", "5 min ago"; with the day if it was not today."""
    now = now or datetime.now().astimezone()
    past = (now - when).total_seconds()
    if past < _MINUTE:
        return _("just now")
    if past < _HOUR:
        return _("%(n)s min ago", n=int(past // _MINUTE))
    if past < 12 * _HOUR and when.date() == now.date():
        return _("%(n)s h ago", n=int(past // _HOUR))
    return _("%(day)s, %(clock)s", day=day(when, _, now), clock=clock(when))


def day(when: datetime, _: Language, now: datetime | None = None) -> str:
    """Return the day: "Today", "Yesterday", "Tuesday", "3 March", or "3 March 2025" if it was another year."""
    now = now or datetime.now().astimezone()
    if when.date() == now.date():
        return _("Today")
    if when.date() == now.date() - timedelta(days=1):
        return _("Yesterday")
    if timedelta() < now.date() - when.date() < timedelta(days=7):
        return _(_DAYS[when.weekday()])
    date = _("%(day)s %(month)s", day=when.day, month=_(_MONTHS[when.month - 1]))
    return date if when.year == now.year else f"{date} {when.year}"


def seconds_in_words(seconds: float, _: Language) -> str:
    """Return a length of time: "8 s", "2 min", "3 h", "5 days"."""
    if seconds < _MINUTE:
        return _("%(n)s s", n=max(1, round(seconds)))
    if seconds < _HOUR:
        return _("%(n)s min", n=round(seconds / _MINUTE))
    if seconds < 2 * _DAY:
        return _("%(n)s h", n=round(seconds / _HOUR))
    return _("%(n)s days", n=round(seconds / _DAY))
