"""The commands ``facesecure-train dataset extract``, ``stats`` and ``pairs``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from facesecure.cli.prompts import Yes, confirm
from facesecure.domain.errors import UsageError
from facesecure.util.redaction import redact
from facesecure_training.cli.command_builder import command
from facesecure_training.cli.options import AsJson, StateDir, WorkOptions, print_json, require_one_of, resumable, say

if TYPE_CHECKING:
    from facesecure_training.datasets.catalogue import Catalogue
    from facesecure_training.datasets.extract import Summary
    from facesecure_training.datasets.settings import ExtractionSettings
    from facesecure_training.datasets.stats import DatasetStats

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make and maintain data sets of faces.")

_CLASSES_SHOWN = 20

Identities = Annotated[
    Path | None,
    typer.Option("--identities", help="List of images and people, as CelebA has it.", exists=True, dir_okay=False),
]


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """What ``dataset extract`` reads and writes, and which faces it keeps."""

    source: Annotated[
        str,
        typer.Option(
            "-d",
            "--source",
            metavar="PLACE",
            help="Folder with a sub-folder of videos and photos for each class, or an address such as s3://bucket/in.",
        ),
    ]
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="PLACE", help="Folder for the class folders of faces, or an address likewise."
        ),
    ]
    identities: Annotated[
        Path | None,
        typer.Option(
            "--identities",
            help="List of images and people, as CelebA has it; SOURCE then needs no sub-folders.",
            exists=True,
            dir_okay=False,
        ),
    ] = None
    detector: Annotated[str, typer.Option("--detector", help="mtcnn, haar or yunet.")] = "mtcnn"
    stride: Annotated[int, typer.Option("--stride", min=1, help="Detect faces in every Nth frame of a video.")] = 5
    faces: Annotated[
        str,
        typer.Option(
            "--faces",
            help="Faces kept of a frame with several: all, largest, central, or tracked "
            "(one face is followed until it is lost).",
        ),
    ] = "largest"
    min_quality: Annotated[
        float, typer.Option("--min-quality", min=0, max=1, help="Lowest clarity, as the daemon rates it; 0 keeps all.")
    ] = 0.4
    thin: Annotated[
        float,
        typer.Option("--thin", min=0, max=1, help="Drop faces that correlate more than this with another; 1: none."),
    ] = 0.95
    crop: Annotated[str, typer.Option("--crop", help="aligned (112x112), square, or WIDTHxHEIGHT.")] = "aligned"
    size: Annotated[int, typer.Option("--size", min=16, max=2000, help="Side of --crop square, in pixels.")] = 224
    margin: Annotated[
        float, typer.Option("--margin", min=0, max=4, help="Margin of a crop that is not aligned, in box sides.")
    ] = 0.25
    min_face: Annotated[int, typer.Option("--min-face", min=12, help="Smallest face detected, in pixels.")] = 40
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Keep at most this many faces of a source, chosen at random.")
    ] = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed for --limit.")] = 0
    state_dir: StateDir = None
    anew: Annotated[
        bool, typer.Option("--anew", help="Delete what was extracted into the output before; asks first.")
    ] = False
    yes: Yes = False
    as_json: AsJson = False

    def settings(self) -> ExtractionSettings:
        """Return the settings that decide what is extracted. Raises UsageError for unknown words."""
        from facesecure_training.datasets.settings import CropShape, DetectorKind, ExtractionSettings, FaceChoice

        require_one_of(get_args(DetectorKind), self.detector, "--detector")
        require_one_of(get_args(FaceChoice), self.faces, "--faces")
        return ExtractionSettings(
            shape=CropShape.parse(self.crop, self.size),
            detector=self.detector,  # type: ignore[arg-type]
            stride=self.stride,
            faces=self.faces,  # type: ignore[arg-type]
            min_quality=self.min_quality,
            thin=self.thin,
            margin=self.margin,
            min_face=self.min_face,
            limit=self.limit,
            seed=self.seed,
        )


@command(app, "extract")
def extract(options: ExtractOptions, work: WorkOptions) -> None:
    r"""Extract the faces from videos and photos into class folders, with a manifest (Parquet) of all of them.

    Ctrl-C stops; the same command resumes, and repeats only what has changed since.

    \b
    Examples:
      facesecure-train dataset extract -d recordings -o faces
      facesecure-train dataset extract -d recordings -o faces --crop 600x400 --faces tracked --stride 10
      facesecure-train dataset extract -d lfw/images -o lfw-faces --faces central --min-quality 0
      facesecure-train dataset extract -d img_align_celeba --identities identity_CelebA.txt -o faces --min-face 20
      facesecure-train dataset extract -d s3://bucket/recordings -o s3://bucket/faces \
        --cluster tls://10.0.0.5:8786 --cluster-tls certificates
    """
    from time import monotonic

    from facesecure_training.datasets.extract import extract as run
    from facesecure_training.datasets.extract import faces_before
    from facesecure_training.datasets.location import place_of

    settings, workforce, output = options.settings(), work.workforce(), place_of(options.output)
    if options.anew and (before := faces_before(output)):
        faces = "1 face" if before == 1 else f"{before} faces"
        confirm(f"Delete what was extracted into {redact(options.output)} before ({faces})", options.yes)
    began = monotonic()
    with resumable():
        found = run(
            place_of(options.source),
            output,
            settings,
            identities=options.identities,
            workforce=workforce,
            state_dir=options.state_dir,
            anew=options.anew,
        )
    seconds = monotonic() - began
    if options.as_json:
        print_json(asdict(found) | {"seconds": round(seconds, 3)})
    else:
        _print_summary(found, options.output, seconds)


def _print_summary(found: Summary, output: str, seconds: float) -> None:
    say(
        f"{found.faces} faces of {found.sources} sources in {redact(output)} ({found.done_before} done before, "
        f"{len(found.broken)} cannot be read); {found.frames} frames searched in {seconds:.1f} s"
    )
    for name, count in islice(found.classes.items(), _CLASSES_SHOWN):
        say(f"  {name}: {count}")
    if len(found.classes) > _CLASSES_SHOWN:
        say(f"  and {len(found.classes) - _CLASSES_SHOWN} more; see dataset stats")


@dataclass(frozen=True, kw_only=True)
class StatsOptions:
    """The data set that is described, and its contact sheet."""

    folder: Annotated[
        str,
        typer.Option("-d", "--dataset", metavar="PLACE", help="Class folders of images, or an address likewise."),
    ]
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Write a contact sheet (.png or .jpg).")] = None
    columns: Annotated[int, typer.Option("--columns", min=1, max=100, help="Images of a class on the sheet.")] = 12
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed that chooses the images on the sheet.")] = 0
    as_json: AsJson = False


@command(app, "stats")
def stats(options: StatsOptions, work: WorkOptions) -> None:
    r"""Show how many images each class has, their size and quality, and which are broken, duplicated or mislabelled.

    \b
    Examples:
      facesecure-train dataset stats -d faces --sheet faces.png
      facesecure-train dataset stats -d s3://bucket/faces --workers 4
    """
    from facesecure_training.datasets.catalogue import Catalogue
    from facesecure_training.datasets.contact_sheet import contact_sheet, save
    from facesecure_training.datasets.folders import ClassFolder
    from facesecure_training.datasets.location import is_remote, place_of
    from facesecure_training.datasets.stats import stats_of

    place = place_of(options.folder)
    if options.sheet and is_remote(place):
        raise UsageError("--sheet draws images of a folder on this machine", "leave it out")
    with work.workforce(1).pool() as pool, Catalogue.of_folders(place, pool) as images:
        found = stats_of(images, pool)
    if options.sheet:
        save(contact_sheet(ClassFolder.read(place), options.columns, options.seed), options.sheet)
    if options.as_json:
        print_json(asdict(found))
        return
    for line in _stats_lines(found):
        say(line)


def _stats_lines(found: DatasetStats) -> Iterator[str]:
    common = ", ".join(f"{size} ({count})" for size, count in list(found.sizes.items())[:3])
    yield f"{found.pictures} images of {len(found.classes)} classes; {common}"
    for name, one in found.classes.items():
        line = f"  {name}: {one.pictures} of {one.sources} sources"
        if {"clarity", "eye_distance"} <= one.quality.keys():
            clarity, eyes = one.quality["clarity"], one.quality["eye_distance"]
            line += f"; clarity {clarity.median:.2f} ({clarity.low:.2f} to {clarity.high:.2f})"
            line += f", {eyes.median:.0f} pixels between the eyes, {one.unusable} unusable"
        yield line
    for name in found.empty:
        yield f"  {name}: no images"
    for problem, names in (("not an image", found.unreadable), ("the same image in two classes", found.mislabelled)):
        for one_name in names:
            yield f"  {problem}: {one_name if isinstance(one_name, str) else ', '.join(one_name)}"
    double = sum(len(group) - 1 for group in found.twins)
    if double:
        yield f"  {double} images are byte-for-byte duplicates"


@dataclass(frozen=True, kw_only=True)
class PairsOptions:
    """The images that pairs are made of, how many, and in which parts."""

    images: Annotated[
        str,
        typer.Option(
            "-d",
            "--images",
            metavar="PLACE",
            help="A class folder for each person, or what --identities lists; or an address such as s3://bucket/faces.",
        ),
    ]
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for train, validation and test.")]
    identities: Identities = None
    count: Annotated[int, typer.Option("--count", min=2, help="Pairs in all parts together.")] = 20_000
    split: Annotated[
        tuple[float, float, float], typer.Option("--split", help="Shares of train, validation and test.")
    ] = (0.7, 0.15, 0.15)
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed draws the same pairs.")] = 0
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv"
    as_json: AsJson = False


@command(app, "pairs")
def pairs(options: PairsOptions, work: WorkOptions) -> None:
    r"""Make pairs of images of the same person (0) and of different people (1), half of each kind.

    No person appears in two parts.

    \b
    Examples:
      facesecure-train dataset pairs -d faces -o pairs
      facesecure-train dataset pairs -d img_align_celeba --identities identity_CelebA.txt -o pairs --count 100000
    """
    from facesecure_training.datasets import pairs as dataset_pairs
    from facesecure_training.datasets.location import place_of

    require_one_of(("csv", "parquet"), options.form, "--format")
    images = place_of(options.images)
    fractions = dict(zip(("train", "validation", "test"), options.split, strict=True))
    with _people(options, images, work) as people:
        parts = dataset_pairs.pairs_of(people, options.count, fractions, options.seed)
    for name, part in parts.items():
        dataset_pairs.write(options.output / f"{name}.{options.form}", part, Path(images))
    if options.as_json:
        print_json({name: len(part) for name, part in parts.items()})
        return
    for name, part in parts.items():
        shown = {path for pair in part for path in (pair.first, pair.second)}
        path = options.output / f"{name}.{options.form}"
        say(f"{path}: {len(part)} pairs of {len(shown)} images, half of them of the same person")


def _people(options: PairsOptions, images: Path | str, work: WorkOptions) -> Catalogue:
    """Return the people that pairs are made of. Raises UsageError for a list of what is not on this machine."""
    from facesecure_training.datasets.people import from_folders, from_identities

    if options.identities is None:
        with work.workforce(1).pool() as pool:
            return from_folders(images, pool)
    if isinstance(images, str):
        raise UsageError("--identities needs a folder on this machine", "name class folders at the address instead")
    return from_identities(options.identities, images)
