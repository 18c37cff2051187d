"""``facesecure events clip``, and what the other commands of events show of films."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.settings import settings_of

if TYPE_CHECKING:
    from facesecure.domain.records import StoredSighting
    from facesecure.services.clips import ClipExport
    from facesecure.storage.store import Store

Folder = Annotated[
    Path | None,
    typer.Option("--clips", metavar="FOLDER", help="Also write the films of these sightings into this folder, as MP4."),
]
OfEvent = Annotated[str, typer.Argument(metavar="ID", help="The sighting's or the film's id, or its first characters.")]


def clip(
    context: typer.Context,
    identifier: OfEvent,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write, an MP4.")],
) -> None:
    """Write the film of a sighting as an MP4 that phones and browsers play.

    Films are kept encrypted, if [clips] enabled is true; the file that this writes is not. A film that is still being
    taken, or broke off, is written as far as it goes.
    """
    from facesecure.cli.files import replacing
    from facesecure.services.clips import clips_of, write_clip

    with settings_of(context).store() as store:
        first, *others = clips_of(store, identifier)
        with replacing(to, binary=True) as file:
            seconds = write_clip(store, first, file)
    output.note(f"{seconds:.0f} s of the {first.camera} from {output.plain(first.began)} written to {to}")
    for other in others:
        output.note(f"the film goes on: facesecure events clip {other.identifier} --output FILE")


def with_films(document: dict[str, Any], store: Store, sighting: StoredSighting) -> dict[str, Any]:
    """Return the JSON of ``sighting`` with its films."""
    return {**document, "clips": [serializers.clip(one) for one in store.clips.of(sighting)]}


def words(clip: dict[str, Any]) -> str:
    """Return the JSON of a film as words, for a table."""
    rest = "" if clip["whole"] else ", not finished"
    return f"{clip['id']} ({clip['seconds']:.0f} s, {clip['bytes'] / 1e6:.1f} MB{rest})"


def exported(
    sightings: Iterable[StoredSighting], export: ClipExport | None, separator: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the JSON of each sighting; with ``export`` its films are written, and named as ``clips``.

    ``separator`` joins their names, for a table; None leaves them a list.
    """
    for sighting in sightings:
        document = serializers.sighting(sighting)
        if export is not None:
            names = export.names_of(sighting)
            document["clips"] = names if separator is None else separator.join(names)
        yield document
