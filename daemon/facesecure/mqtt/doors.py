"""The household's other doors, as the broker is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from facesecure.app.control.commands import Commands
from facesecure.domain.doors import LastVisit, OtherDoor

_NOBODY = {"who": None, "at": None, "camera": None}
_SILENT = "not heard of"


def others(commands: Commands) -> list[OtherDoor]:
    """Return the household's other doors, none without a hub."""
    return [door for look in list(commands.others) for door in look()]


def doors_document(doors: Iterable[OtherDoor]) -> str:
    """Return the payload of their topic."""
    return json.dumps({door.identifier: _document(door) for door in doors}, ensure_ascii=False)


def _document(door: OtherDoor) -> dict[str, Any]:
    why = [_SILENT] if door.silent else []
    why += [f"no image from the {camera}" for camera in door.lost]
    return {
        "name": door.name,
        "trouble": "ON" if door.in_trouble else "OFF",
        "why": "; ".join([*why, *door.troubles]) or None,
        "last": _NOBODY if door.last_visit is None else _last(door.last_visit),
    }


def _last(visit: LastVisit) -> dict[str, Any]:
    return {"who": visit.name or visit.verdict, "at": visit.at.isoformat(), "camera": visit.camera}
