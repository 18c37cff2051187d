"""What a browser is told of an alert: JSON for the page's service worker, which shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from facesecure.alerts.push.encryption import LONGEST
from facesecure.domain import Alert, AlertKind
from facesecure.domain.accounts import Role
from facesecure.domain.languages import base

_TITLE_BYTES, _BODY_BYTES = 300, 2400
"""Beside them stay 1200 bytes for addresses and actions."""
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"disarm": "Disarm", "known": "Not a stranger"},
    "fr": {"disarm": "Désarmer", "known": "Pas un inconnu"},
}
_DISARM = "/confirm?next=/"
_URGENT = (AlertKind.STRANGER, AlertKind.UNIDENTIFIED)


def message_of(alert: Alert, place: str, role: Role, language: str) -> bytes:
    """Return the message about ``alert`` for a person with ``role``, who is offered what that role may do.

    The picture is not in it: the browser asks the page for it, with its session. Example::

        message_of(alert, "front door", Role.MEMBER, "fr")
    """
    visit = f"/visit/{alert.sighting.identifier}" if alert.sighting is not None and not alert.sighting.staged else None
    document: dict[str, Any] = {
        "title": _cut(place, _TITLE_BYTES),
        "body": _cut(alert.text, _BODY_BYTES),
        "tag": alert.sighting.identifier if alert.sighting else alert.identifier,
        "at": round(alert.created_at.timestamp() * 1000),
        "url": visit or "/",
        "picture": f"{visit}/small.jpg" if visit and alert.snapshot_path else None,
        "actions": _actions(alert, visit, role, language),
    }
    encoded = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(encoded) <= LONGEST
    return encoded


def urgency(alert: Alert) -> str:
    """Return the Urgency (RFC 8030, section 5.3): a phone that saves its battery is woken for what is ``high``."""
    return "high" if alert.kind in _URGENT else "normal"


def _actions(alert: Alert, visit: str | None, role: Role, language: str) -> list[dict[str, str]]:
    if not role.includes(Role.MEMBER):
        return []
    words = _WORDS.get(base(language), _WORDS["en"])
    offered = []
    if alert.kind in _URGENT:
        offered.append({"action": "disarm", "title": words["disarm"], "url": _DISARM})
    if alert.kind is AlertKind.STRANGER and visit:
        offered.append({"action": "known", "title": words["known"], "url": visit})
    return offered


def _cut(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` bytes of JSON, whose quotes and backslashes take two."""
    while len(json.dumps(text, ensure_ascii=False).encode()) > limit:
        text = text[: len(text) * 9 // 10].rstrip() + "…"
    return text
