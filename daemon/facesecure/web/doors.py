"""The household's other doors in words, for the screens that show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from facesecure.web.language import Language
from facesecure.web.visits import who


def shown_doors(doors: Iterable[Mapping[str, Any]], _: Language) -> list[dict[str, Any]]:
    """Return the doors with ``visitor``, who came last there in words; None if nobody has."""
    return [{**door, "visitor": _visitor(door["last_visit"], _)} for door in doors]


def _visitor(visit: Mapping[str, Any] | None, _: Language) -> str | None:
    return None if visit is None else who({**visit, "doubt": "", "visitor": None, "count": None}, _)
