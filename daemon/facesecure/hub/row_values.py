"""Convert rows of the tables to the values of ``rows``, and back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from facesecure.hub.rows import (
    CropRequest,
    Door,
    Invitation,
    NewDoor,
    Notice,
    NoticeState,
    Record,
    RecordKind,
    Right,
    Sighting,
)

T = TypeVar("T")

_DAMAGED = "damaged, or written by a door that lies"

_log = logging.getLogger(__name__)


def role_of(door: str) -> str:
    """Return the PostgreSQL role of the door with the identifier ``door``."""
    return f"facesecure_door_{door}"


def checked(rows: Iterable[RowMapping], make: Callable[..., T]) -> tuple[T, ...]:
    """Return what ``make`` makes of each row; leave out, and log, those that are not what they should be."""
    made, refused = list[T](), list[Exception]()
    for row in rows:
        try:
            made.append(make(**row))
        except (ValueError, TypeError) as error:
            refused.append(error)
    if refused:  # in one line: a door may write thousands
        _log.warning("%d rows of the hub are left out, as they are %s: %s", len(refused), _DAMAGED, refused[0])
    return tuple(made)


def checked_row(row: RowMapping | None, make: Callable[..., T]) -> T | None:
    """Return what ``make`` makes of ``row``; None, and a line in the log, if it is not what it should be."""
    if row is None:
        return None
    try:
        return make(**row)
    except (ValueError, TypeError) as error:
        _log.warning("a row of the hub is left out, as it is %s: %s", _DAMAGED, error)
        return None


def rights_text(rights: frozenset[Right]) -> str:
    """Return rights as they are stored."""
    return ",".join(sorted(right.value for right in rights))


def rights_from(text: str) -> frozenset[Right]:
    """Return the rights that ``rights_text`` stored. Raises ValueError for an unknown one."""
    return frozenset(Right(word) for word in text.split(",") if word)


def door_values(door: NewDoor) -> dict[str, Any]:
    """Return the columns of a new door."""
    return {**vars(door), "rights": rights_text(door.rights), "role": role_of(door.identifier)}


def without_revision(row: Any) -> dict[str, Any]:
    """Return the columns of a row that a door writes: the database gives the revision."""
    return {name: value for name, value in vars(row).items() if name != "revision"}


def door_from(rights: str, **columns: Any) -> Door:
    """Return the door of a row."""
    return Door(rights=rights_from(rights), **columns)


def invitation_from(rights: str, **columns: Any) -> Invitation:
    """Return the invitation of a row."""
    return Invitation(rights=rights_from(rights), **columns)


def record_from(kind: str, **columns: Any) -> Record:
    """Return the record of a row."""
    return Record(kind=RecordKind(kind), **columns)


def sighting_from(has_crop: Any, **columns: Any) -> Sighting:
    """Return the sighting of a row."""
    return Sighting(has_crop=bool(has_crop), **columns)


def notice_from(state: str, **columns: Any) -> Notice:
    """Return the notice of a row."""
    return Notice(state=NoticeState(state), **columns)


def crop_request_from(household: str, **columns: Any) -> CropRequest:  # noqa: ARG001
    """Return the request of a row."""
    return CropRequest(**columns)
