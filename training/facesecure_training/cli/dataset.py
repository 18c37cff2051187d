"""The commands under ``facesecure-train dataset``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from facesecure.domain.errors import UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make data sets of faces, and look after them.")

_CLASSES_SHOWN = 20

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("extract")
def extract(
    source: Annotated[
        Path, typer.Option("-d", "--source", help="A folder with a sub-folder of videos and photos for each class.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the class folders of faces are made.")],
    identities: Annotated[
        Path | None,
        typer.Option(
            "--identities",
            help="Whose picture is whose, as CelebA lists it; SOURCE needs no sub-folders.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    detector: Annotated[str, typer.Option("--detector", help="mtcnn, haar or yunet.")] = "mtcnn",
    stride: Annotated[int, typer.Option("--stride", min=1, help="Search every so many-th frame of a video.")] = 5,
    faces: Annotated[
        str,
        typer.Option(
            "--faces",
            help="Of a frame with several: all, the largest, the central one, or the tracked one, "
            "which is held on to until it is lost.",
        ),
    ] = "largest",
    min_quality: Annotated[
        float, typer.Option("--min-quality", min=0, max=1, help="Least clarity, as the daemon judges it; 0 keeps all.")
    ] = 0.4,
    thin: Annotated[
        float,
        typer.Option("--thin", min=0, max=1, help="Leave out what correlates more with another face; 1 keeps all."),
    ] = 0.95,
    crop: Annotated[str, typer.Option("--crop", help="aligned (112x112), square, or WIDTHxHEIGHT.")] = "aligned",
    size: Annotated[int, typer.Option("--size", min=16, max=2000, help="Side of --crop square, pixels.")] = 224,
    margin: Annotated[
        float, typer.Option("--margin", min=0, max=4, help="Around a crop that is not aligned, in box sides.")
    ] = 0.25,
    min_face: Annotated[int, typer.Option("--min-face", min=12, help="Smallest face looked for, pixels.")] = 40,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many faces of one source, drawn at random.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="For --limit.")] = 0,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Processes.", show_default="one a core")] = None,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", envvar="FACESECURE_STATE_DIR", help="Where pulled models lie (YuNet).")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Throw away what was extracted into the output before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Cut the faces out of videos and photos, class folder by class folder, with a manifest (Parquet) of all of them.

    Ctrl-C stops; the same command goes on from there, and does again only what has changed since.

    \b
    Examples:
      facesecure-train dataset extract -d recordings -o faces
      facesecure-train dataset extract -d recordings -o faces --crop 600x400 --faces tracked --stride 10
      facesecure-train dataset extract -d lfw/images -o lfw-faces --faces central --min-quality 0
      facesecure-train dataset extract -d img_align_celeba --identities identity_CelebA.txt -o faces --min-face 20
    """
    from dataclasses import asdict
    from time import monotonic

    from facesecure_training.datasets.extract import extract as run
    from facesecure_training.datasets.settings import CropShape, DetectorKind, ExtractionSettings, FaceChoice

    settings = ExtractionSettings(
        shape=CropShape.parse(crop, size),
        detector=_one_of(DetectorKind, detector, "--detector"),
        stride=stride,
        faces=_one_of(FaceChoice, faces, "--faces"),
        min_quality=min_quality,
        thin=thin,
        margin=margin,
        min_face=min_face,
        limit=limit,
        seed=seed,
    )
    began = monotonic()
    with _resumable():
        options: dict[str, Any] = {"jobs": jobs or os.cpu_count() or 1, "state_dir": state_dir, "anew": anew}
        found = run(source, output, settings, identities=identities, **options)
    seconds = monotonic() - began
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"seconds": round(seconds, 3)}, indent=2))
        return
    typer.echo(
        f"{found.faces} faces of {found.sources} sources in {output} ({found.done_before} done before, "
        f"{len(found.broken)} cannot be read); {found.frames} frames searched in {seconds:.1f} s"
    )
    for name, count in islice(found.classes.items(), _CLASSES_SHOWN):
        typer.echo(f"  {name}: {count}")
    if len(found.classes) > _CLASSES_SHOWN:
        typer.echo(f"  and {len(found.classes) - _CLASSES_SHOWN} more; see dataset stats")


@app.command("stats")
def stats(
    folder: Annotated[Path, typer.Option("-d", "--dataset", help="Class folders of pictures.", exists=True)],
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Draw a contact sheet (.png or .jpg).")] = None,
    columns: Annotated[int, typer.Option("--columns", min=1, max=100, help="Pictures of a class on the sheet.")] = 12,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which pictures are on the sheet.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How many pictures each class has, of what size and quality, and which are broken, double or in two classes.

    \b
    Example:
      facesecure-train dataset stats -d faces --sheet faces.png
    """
    from dataclasses import asdict

    from facesecure_training.datasets.contact_sheet import contact_sheet, save
    from facesecure_training.datasets.folders import ClassFolder
    from facesecure_training.datasets.stats import stats_of

    read = ClassFolder.read(folder)
    found = stats_of(read)
    if sheet:
        save(contact_sheet(read, columns, seed), sheet)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    for line in _told(found):
        typer.echo(line)


def _told(found: Any) -> Iterator[str]:
    common = ", ".join(f"{size} ({count})" for size, count in list(found.sizes.items())[:3])
    yield f"{found.pictures} pictures of {len(found.classes)} classes; {common}"
    for name, one in found.classes.items():
        line = f"  {name}: {one.pictures} of {one.sources} sources"
        if one.quality:
            clarity, eyes = one.quality["clarity"], one.quality["eye_distance"]
            line += f"; clarity {clarity.median:.2f} ({clarity.low:.2f} to {clarity.high:.2f})"
            line += f", {eyes.median:.0f} pixels between the eyes, {one.unusable} unusable"
        yield line
    for what, names in (("no picture", found.unreadable), ("the same picture in two classes", found.mislabelled)):
        for one in names:
            yield f"  {what}: {one if isinstance(one, str) else ', '.join(one)}"
    double = sum(len(group) - 1 for group in found.twins)
    if double:
        yield f"  {double} pictures are there twice, byte for byte"


@app.command("pairs")
def pairs(
    images: Annotated[
        Path,
        typer.Option("-d", "--images", help="A class folder for each person, or what --identities lists.", exists=True),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for train, validation and test.")],
    identities: Annotated[
        Path | None,
        typer.Option("--identities", help="Whose picture is whose, as CelebA lists it.", exists=True, dir_okay=False),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=2, help="Pairs in all parts together.")] = 20_000,
    split: Annotated[
        tuple[float, float, float], typer.Option("--split", help="Shares of train, validation and test.")
    ] = (0.7, 0.15, 0.15),
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    as_json: AsJson = False,
) -> None:
    """Pairs of pictures of the same person (0) and of two (1), as many of each; no person is in two parts.

    \b
    Examples:
      facesecure-train dataset pairs -d faces -o pairs
      facesecure-train dataset pairs -d img_align_celeba --identities identity_CelebA.txt -o pairs --count 100000
    """
    from facesecure_training.datasets import pairs as command
    from facesecure_training.datasets.people import from_folders, from_identities

    suffix = _one_of(Literal["csv", "parquet"], form, "--format")
    people = from_identities(identities, images) if identities else from_folders(images)
    parts = command.pairs_of(people, count, dict(zip(("train", "validation", "test"), split, strict=True)), seed)
    for name, part in parts.items():
        command.write(output / f"{name}.{suffix}", part, images)
    if as_json:
        typer.echo(json.dumps({name: len(part) for name, part in parts.items()}, indent=2))
        return
    for name, part in parts.items():
        shown = {path for pair in part for path in (pair.first, pair.second)}
        typer.echo(f"{output / name}.{suffix}: {len(part)} pairs of {len(shown)} pictures, half of them of one person")


Threads = Annotated[int, typer.Option("--threads", min=1, max=200, help="Files at once.")]
Retries = Annotated[int, typer.Option("--retries", min=0, help="Attempts after the first, ever longer apart.")]
Checksum = Annotated[
    bool, typer.Option("--checksum", help="Compare what is there by its content, not by size and time.")
]
Options = Annotated[
    list[str] | None, typer.Option("--option", help="KEY=VALUE for the target's driver; may be repeated.")
]


@app.command("upload")
def upload(
    folder: Annotated[Path, typer.Argument(help="What to upload, with its sub-folders.", exists=True, file_okay=False)],
    target: Annotated[str, typer.Argument(help="Where to: s3://bucket/folder, gdrive://folder, a path, ...")],
    threads: Threads = 10,
    retries: Retries = 5,
    checksum: Checksum = False,
    option: Options = None,
    as_json: AsJson = False,
) -> None:
    """Copy a data set to wherever fsspec reaches. What is there already is not copied again; hidden files are left out.

    \b
    Examples:
      facesecure-train dataset upload faces s3://my-bucket/faces       (pip install 'facesecure[s3]')
      facesecure-train dataset upload faces gdrive://faces --option token=browser   ('facesecure[gdrive]')
    """
    from facesecure_training.datasets.mirror import MirrorOptions

    _mirror(str(folder.absolute()), target, MirrorOptions(threads, retries, checksum=checksum), option, as_json)


@app.command("mirror")
def mirror(
    source: Annotated[str, typer.Argument(help="A folder, or anything that fsspec reaches.")],
    target: Annotated[str, typer.Argument(help="Another one.")],
    threads: Threads = 10,
    retries: Retries = 5,
    checksum: Checksum = False,
    delete: Annotated[bool, typer.Option("--delete", help="Remove from the target what the source has not.")] = False,
    option: Options = None,
    as_json: AsJson = False,
) -> None:
    """Make one place hold what another one holds, in whichever direction.

    \b
    Example:
      facesecure-train dataset mirror s3://my-bucket/faces faces --delete
    """
    from facesecure_training.datasets.mirror import MirrorOptions

    _mirror(source, target, MirrorOptions(threads, retries, checksum=checksum, delete=delete), option, as_json)


def _mirror(source: str, target: str, manner: Any, options: list[str] | None, as_json: bool) -> None:
    from dataclasses import asdict

    from facesecure_training.datasets import mirror as command

    goal = command.Location.at(target, command.options_of(options or []))
    with _resumable():
        done = command.mirror(command.Location.at(source), goal, manner)
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2))
        return
    typer.echo(
        f"{goal.shown}: {done.copied} files copied ({done.size / 1e6:.1f} MB), {done.there} were there, "
        f"{done.deleted} deleted"
    )


@contextmanager
def _resumable() -> Iterator[None]:
    """Ctrl-C ends with a word on what to do next, and the exit code of an interrupted program."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise typer.Exit(130) from None


def _one_of(kinds: Any, word: str, option: str) -> Any:
    known = get_args(kinds)
    if word not in known:
        raise UsageError(f"{option} {word!r} is not known", f"use one of: {', '.join(known)}")
    return word
