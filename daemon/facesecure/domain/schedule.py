"""Weekly hours as the configuration writes them: "22:00-07:00", "Mon-Fri 09:00-17:00", "weekends 23:00-09:00".

They are in local wall-clock time: a night in which the clocks change has the same hours as any other, although it is
an hour longer or shorter. Hours that pass midnight belong to the day on which they begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from facesecure.domain.errors import did_you_mean

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {"weekdays": range(5), "weekends": range(5, 7), "daily": range(7)}
_FORM = re.compile(r"(?:(?P<days>.*\S)\s+)?(?P<start>\S+?)\s*-\s*(?P<end>\S+)", re.DOTALL)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_EVERY_DAY = frozenset(range(7))
_DAY = 24 * 60
_EXAMPLE = 'write "22:00-07:00", "Mon-Fri 09:00-17:00" or "Sat,Sun 23:00-09:00"'


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours from ``start`` up to but not including ``end``, in minutes after midnight, on ``days`` (0 is Monday).

    An ``end`` that is not after ``start`` is on the next day.

    Example::

        Hours.parse("Mon-Fri 22:00-07:00").began(wall_clock(now))
    """

    start: int
    end: int
    days: frozenset[int] = _EVERY_DAY

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Parse ``text``. Raises ValueError, with a suggestion, if it is not valid."""
        parts = _FORM.fullmatch(text.strip())
        if parts is None:
            raise ValueError(f"{text!r} is not a range of hours; {_EXAMPLE}")
        start, end = _minute(parts["start"]), _minute(parts["end"])
        if start == end:
            raise ValueError(f"{text!r} begins and ends at the same time; for a whole day write 00:00-24:00")
        if start == _DAY:
            raise ValueError(f"{text!r} begins at the end of the day; write 00:00")
        return cls(start, end, _days(parts["days"]) if parts["days"] else _EVERY_DAY)

    def began(self, local: datetime) -> datetime | None:
        """Return when the hours that contain ``local`` began; None if ``local`` is outside of them.

        Both are local wall-clock times without a time zone (``wall_clock``).
        """
        minute = local.hour * 60 + local.minute
        today, yesterday = (local.date() - timedelta(days=ago) for ago in (0, 1))
        overnight = self.end <= self.start
        if today.weekday() in self.days and self.start <= minute and (overnight or minute < self.end):
            return self._start(today)
        if yesterday.weekday() in self.days and overnight and minute < self.end:
            return self._start(yesterday)
        return None

    @property
    def text(self) -> str:
        """The hours as the configuration writes them: "Mon-Fri 09:00-17:00"."""
        clock = f"{_clock(self.start)}-{_clock(self.end)}"
        return clock if self.days == _EVERY_DAY else f"{','.join(_spans(sorted(self.days)))} {clock}"

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(self.start // 60, self.start % 60))


def wall_clock(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Convert ``moment`` (aware) to naive local time in ``zone``, by default the machine's time zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def within(hours: Iterable[Hours], local: datetime) -> datetime | None:
    """Return when the latest of the ``hours`` that contain ``local`` began; None if none contains it."""
    return max((start for each in hours if (start := each.began(local))), default=None)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _spans(days: Sequence[int]) -> Iterator[str]:
    """Yield consecutive ``days`` as "Mon-Fri"."""
    for first in (day for day in days if day - 1 not in days):
        last = first
        while last + 1 in days:
            last += 1
        yield _DAYS[first].capitalize() + (f"-{_DAYS[last].capitalize()}" if last > first else "")


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day; {_EXAMPLE}")
    minute = int(found[1]) * 60 + int(found[2])
    if int(found[2]) > 59 or minute > _DAY:
        raise ValueError(f"{text!r} is not a time of day: times are 00:00 to 24:00")
    return minute


def _days(text: str) -> frozenset[int]:
    parts = [part.strip() for part in text.split(",")]
    return frozenset(day for part in parts for day in _span(part))


def _span(text: str) -> Iterator[int]:
    if text.lower() in _GROUPS:
        yield from _GROUPS[text.lower()]
        return
    first, dash, last = (part.strip() for part in text.partition("-"))
    start = _day(first)
    end = _day(last) if dash else start
    yield from ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _day(text: str) -> int:
    word = text.lower()
    for names in (_DAYS, _LONG):
        if word in names:
            return names.index(word)
    hint = did_you_mean(word, [*_DAYS, *_LONG, *_GROUPS], shown=_as_written)
    raise ValueError(f"{text!r} is not a day of the week; {hint or _EXAMPLE}")


def _as_written(day: str) -> str:
    return repr(day if day in _GROUPS else day.capitalize())
