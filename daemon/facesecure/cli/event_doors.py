"""The sightings at the household's other doors, for ``facesecure events list --doors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesecure.cli import output, serializers
from facesecure.cli.settings import state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from facesecure.config import FacesecureConfig
    from facesecure.domain.door_visits import DoorVisit
    from facesecure.domain.records import StoredSighting
    from facesecure.storage.store import Store


def elsewhere(
    config: FacesecureConfig, store: Store, limit: int, camera: str | None, filters: Mapping[str, Any]
) -> list[DoorVisit]:
    """Return the newest visits at other doors that ``filters`` admit; none if a camera of this door is asked for.

    Raises HubError if this door belongs to no hub.
    """
    from facesecure.domain.errors import HubError
    from facesecure.hub.driver import require_driver
    from facesecure.services.timeline import admitted

    if not config.hub.enabled:
        raise HubError("this door has no hub, so no other doors", "facesecure hub init or join: docs/hub.md")
    require_driver()
    from facesecure.hub.sync.visits import visits_elsewhere

    found = [] if camera else visits_elsewhere(store, state_of(config))
    chosen = {name: filters[name] for name in ("since", "until", "kind", "name")}
    return list(admitted(found, **chosen))[:limit]


def show(here: Sequence[StoredSighting], others: Sequence[DoorVisit], limit: int, *, json: bool) -> bool:
    """Print the sightings at this door and the others, the newest of both. Return False if there is none."""
    if json:
        output.emit_json(
            {"events": [serializers.sighting(one) for one in here], "elsewhere": [_document(one) for one in others]}
        )
        return True
    both: list[StoredSighting | DoorVisit] = [*here, *others]
    newest = sorted(both, key=lambda one: one.first_seen, reverse=True)[:limit]
    rows = [
        (one.identifier[:8], one.first_seen, _duration(one), _who(one), getattr(one, "door_name", None), _camera(one))
        for one in newest
    ]
    if rows:
        output.table(("id", "seen", "for", "who", "door", "source"), rows, right=("for",))
    return bool(rows)


def _document(visit: DoorVisit) -> dict[str, Any]:
    from facesecure.domain.wire.timeline import DoorVisitDocument

    return DoorVisitDocument.of(visit).as_json()


def _camera(one: StoredSighting | DoorVisit) -> str:
    from facesecure.domain.door_visits import DoorVisit

    return one.camera if isinstance(one, DoorVisit) else one.source


def _duration(one: StoredSighting | DoorVisit) -> str:
    return f"{(one.last_seen - one.first_seen).total_seconds():.0f} s"


def _who(one: StoredSighting | DoorVisit) -> Any:
    from facesecure.domain.door_visits import DoorVisit

    if not isinstance(one, DoorVisit):
        return serializers.coloured_who_now(one)
    word = one.name or one.kind.value
    if one.subject:
        word = f"{word} ({one.subject})"
    if one.doubtful:
        return output.coloured(f"{word}, or a picture", serializers.DOUBTED_STYLE)
    return output.coloured(word, serializers.VERDICT_STYLES[one.kind.value])
