"""``facesecure events export``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import event_clips, output
from facesecure.cli.settings import open_store, settings_of
from facesecure.cli.sighting_filters import (
    All,
    OfCamera,
    OfKind,
    OfName,
    Since,
    Until,
    given_filters,
    spellings,
    unknown_person,
)
from facesecure.util.plain_text import spreadsheet_cell

if TYPE_CHECKING:
    from facesecure.services.clips import ClipExport
    from facesecure.storage.store import Store


class Format(StrEnum):
    """The formats of an export."""

    jsonl = "jsonl"
    csv = "csv"


def export(
    context: typer.Context,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write. Default: stdout.")
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(help="jsonl: one JSON object per line; csv: a table. Default: by the suffix of FILE, else jsonl."),
    ] = None,
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    name: OfName = None,
    camera: OfCamera = None,
    corrected: All = False,
    clips: event_clips.Folder = None,
    json: Annotated[bool, typer.Option("--json", help="Same as --format jsonl.")] = False,
) -> None:
    """Write sightings, oldest first, as JSON lines or CSV; and their films, if you name a folder for them."""
    wanted = Format.jsonl if json else format or (Format.csv if to and to.suffix == ".csv" else Format.jsonl)
    write = _write_csv if wanted is Format.csv else _write_lines
    filters, config = given_filters(since, until, kind, name, corrected), settings_of(context).config()
    with open_store(config) as store, _opened(to) as file:
        sightings = store.each_sighting(cameras=spellings(config, store, camera), **filters)
        films = _film_export(store, clips)
        count = write(event_clips.exported(sightings, films, " " if wanted is Format.csv else None), file)
        unknown = unknown_person(store, name) if name and not count else ""
    if unknown:
        output.note(unknown)
    if to is not None:
        output.note(f"{count} sighting{'s' if count != 1 else ''} written to {to}")
    if films is not None:
        output.note(f"{films.count} film{'s' if films.count != 1 else ''} written to {clips}")


def _film_export(store: Store, folder: Path | None) -> ClipExport | None:
    if folder is None:
        return None
    from facesecure.cli.files import replacing
    from facesecure.services.clips import ClipExport

    return ClipExport(store, folder, replacing)


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    from facesecure.cli.files import replacing

    with replacing(path) as file:
        yield file


def _write_lines(sightings: Iterable[dict[str, Any]], file: IO[str]) -> int:
    import json

    count = 0
    for sighting in sightings:
        file.write(json.dumps(output.plain(sighting), allow_nan=False) + "\n")
        count += 1
    return count


def _write_csv(sightings: Iterable[dict[str, Any]], file: IO[str]) -> int:
    import csv

    count, writer = 0, None
    for sighting in sightings:
        if writer is None:
            writer = csv.DictWriter(file, sighting, lineterminator="\n")
            writer.writeheader()
        plain: dict[str, Any] = output.plain(sighting)
        writer.writerow({key: spreadsheet_cell(cell) if isinstance(cell, str) else cell for key, cell in plain.items()})
        count += 1
    return count
