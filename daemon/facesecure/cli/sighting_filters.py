"""The options that choose sightings: when, of which verdict, of whom, at which camera."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.storage.store import Store


class Kind(StrEnum):
    """The verdicts that ``--kind`` accepts."""

    known = "known"
    stranger = "stranger"
    unidentified = "unidentified"


_WHEN = "a date or time (2031-05-30, 2031-05-30T18:00, 11:00), today, yesterday, or how long ago (90m, 12h, 7d)"
Since = Annotated[str | None, typer.Option(metavar="WHEN", help=f"Started then or later: {_WHEN}.")]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Started before then.")]
OfKind = Annotated[Kind | None, typer.Option(help="Only sightings with this verdict.")]
OfName = Annotated[str | None, typer.Option("--name", help="Only sightings of this person.")]
OfCamera = Annotated[str | None, typer.Option("--camera", metavar="NAME", help="Only sightings of this camera.")]
All = Annotated[bool, typer.Option("--all", help="Include verdicts that a later one of the same visit replaced.")]


def given_filters(
    since: str | None, until: str | None, kind: Kind | None, name: str | None, corrected: bool
) -> dict[str, Any]:
    """Return the values of a filter that the options give, without the cameras. Raises UsageError."""
    from facesecure.cli.alert_history import moment
    from facesecure.domain import VerdictKind

    return {
        "since": moment(since) if since else None,
        "until": moment(until) if until else None,
        "kind": VerdictKind(kind.value) if kind else None,
        "name": name,
        "latest_only": not corrected,
    }


def spellings(config: FacesecureConfig, store: Store, named: str | None) -> tuple[str, ...]:
    """Return the spellings of the camera ``named``, which is configured or was; none if no camera is named.

    Raises UsageError if there is no such camera.
    """
    from facesecure.domain.names import camera_key, known_camera

    if named is None:
        return ()
    known = [*(one.camera.name for one in config.each_camera()), *store.cameras()]
    wanted = camera_key(known_camera(named, known))
    return tuple(name for name in dict.fromkeys(known) if camera_key(name) == wanted)


def unknown_person(store: Store, name: str) -> str:
    """Return that no person called ``name`` is enrolled, with the closest name; an empty text if one is."""
    from facesecure.domain.errors import did_you_mean
    from facesecure.domain.names import name_key

    names = {name_key(person.name): person.name for person in store.people()}
    if name_key(name) in names:
        return ""
    closest = did_you_mean(name_key(name), names, prefix="; ", shown=lambda key: repr(names[key]))
    return f"no sighting matches: no person called {name!r} is enrolled{closest}"
