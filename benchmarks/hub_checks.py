"""What must hold at the end of a trial of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Table, select

from benchmarks.hub_course import Course
from benchmarks.hub_doors import BenchDoor
from facesecure.domain.errors import HubRefusedError
from facesecure.hub.sync.visit_document import identifier_of
from facesecure.hub.tables import metadata
from support.postgres.server import Server

_PUBLIC = {"estate", "doors", "revisions", "households"}
_MOST_SHOWN = 5


@dataclass(frozen=True)
class Found:
    """What a trial found. Everything but ``done``, ``settled`` (seconds) and ``said`` should be empty."""

    trial: str
    done: dict[str, int]
    settled: float
    disagreement: list[str]
    lost: list[str]
    twice: list[str]
    foreign: list[str]
    bugs: list[str]
    said: dict[str, int]

    @property
    def good(self) -> bool:
        """Whether everything holds that must."""
        return not (self.disagreement or self.lost or self.twice or self.foreign or self.bugs)

    def told(self) -> str:
        """Return it in words."""
        done = ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))
        lines = [f"{self.trial}: {'holds' if self.good else 'FAILED'}; {done}; agreed after {self.settled:.1f} s"]
        for what in ("disagreement", "lost", "twice", "foreign", "bugs"):
            lines += [f"  {what}: {one}" for one in getattr(self, what)[:_MOST_SHOWN]]
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """Return it for a file."""
        return asdict(self)


def disagreement(course: Course, doors: Sequence[BenchDoor]) -> list[str]:
    """Return in what the doors of a household do not agree yet: people and mode."""
    found, modes = [], dict[str, set[str]]()
    for door in doors:
        names, household = door.names(), door.seat.household
        lacking = course.known.get(household, set()) - names
        left = course.gone.get(household, set()) & names
        strange = names - course.known.get(household, set()) - left
        sets = {"are not known": lacking, "are not wiped": left, "nobody enrolled": strange}
        found += [f"{len(some)} people {what} at {door.seat.door}" for what, some in sets.items() if some]
        if door.link.trouble is not None:
            found.append(f"{door.seat.door} does not reach the hub: {door.link.trouble.message}")
        modes.setdefault(household, set()).add(door.arming.intended.value)
    return found + [f"modes {sorted(some)} in {one}" for one, some in modes.items() if len(some) > 1]


def lost_visits(course: Course, server: Server) -> list[str]:
    """Return the visits that the doors of the household cannot hear of, as the hub lacks them."""
    database = course.doors[0].seat.url.rpartition("/")[2]
    there = {one for (one,) in server.administer("SELECT identifier FROM facesecure.sightings", database)}
    return [one for one in course.visits if identifier_of(one) not in there]


def foreign_rows(doors: Sequence[BenchDoor]) -> list[str]:
    """Return what each door's own role can read that belongs to another household."""
    return [
        f"{door.seat.door} reads {count} rows of others in {table.name}"
        for door in doors for table in metadata.sorted_tables if table.name not in _PUBLIC
        if (count := sum(not _is_own(door, row) for row in _rows(door, table)))
    ]  # fmt: skip


def _rows(door: BenchDoor, table: Table) -> list[dict[str, Any]]:
    try:
        with door.hub.database.begin() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]
    except HubRefusedError:
        return []


def _is_own(door: BenchDoor, row: dict[str, Any]) -> bool:
    """Return whether a row is of the household, as all of its doors may know everybody here."""
    if "household" in row:
        return bool(row["household"] == door.seat.household)
    return row.get("door") in door.seat.neighbours or row.get("author") in door.seat.neighbours
