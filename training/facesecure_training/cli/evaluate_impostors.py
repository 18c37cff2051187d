"""``facesecure-train evaluate strangers``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.impostor_model import packed
from facesecure.vision.inference.card_fields import StrangerFacts
from facesecure.vision.inference.model_card import Model, ModelCard
from facesecure_training.cli.options import (
    AsJson,
    Cache,
    DetectorName,
    Images,
    MaxSide,
    ModelName,
    Plot,
    StateDir,
    Write,
    dataset_of,
    print_json,
    setting_of,
)
from facesecure_training.common import model_bundle
from facesecure_training.common.embeddings import embed_photos, photos_by_person
from facesecure_training.evaluation import impostors
from facesecure_training.evaluation.impostors import Collection, ImpostorReport
from facesecure_training.evaluation.setting import Setting

if TYPE_CHECKING:
    from facesecure_training.evaluation.quality_fit import QualityReport


ImageFolders = Annotated[
    list[Path],
    typer.Option(
        "--images",
        help="Photos in LFW's layout, or in one folder with identities.csv (image,identity) beside it. "
        "Repeat it for pictures of another kind.",
        exists=True,
        file_okay=False,
    ),
]


def evaluate(
    images: ImageFolders,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    write_card: Write = False,
) -> None:
    """What strangers look like to a model: the means and covariances that calibration rests on.

    Proved on people left out: the share of strangers asked for, and got. --write-card puts NAME.strangers.npz beside
    the model; it holds nobody's embedding.

    \b
    Example:
      facesecure-train evaluate strangers --images lfw-dev/images --images celeba-small/images --write-card
    """
    setting = setting_of(model, detector, max_side, cache, state_dir)
    collections = [_collection(setting, folder) for folder in images]
    report = impostors.measure(collections)
    if write_card:
        _write(setting.load(), collections, report, " and ".join(dataset_of(folder) for folder in images))
    if as_json:
        asked = {"model": model, "detector": detector, "max_side": max_side, "sha256": setting.load().sha256}
        print_json({**asked, **asdict(report)})
        return
    typer.echo(f"people     {report.people}, {report.faces} faces; tried on {report.templates} templates of others")
    for asked_rate, got in report.rates.items():
        typer.echo(f"asked      {float(asked_rate):8.3%}   got {got:8.3%}   ({got / float(asked_rate):.2f} times)")
    typer.echo(f"spread     wrong by {report.error:.1%} for people not seen")
    typer.echo(f"mean       off by {report.shift:.3f} on pictures of a kind not seen")


def _collection(setting: Setting, images: Path) -> Collection:
    people = photos_by_person(images)
    photos = (photo for found in people.values() for photo in found)
    found = embed_photos(photos, setting.cropper(), ModelEmbedder(setting.load()))
    vectors = [[v for photo in some if (v := found[photo]) is not None] for some in people.values()]
    return [np.stack(some) for some in vectors if some]


def _write(model: Model, collections: list[Collection], report: ImpostorReport, dataset: str) -> None:
    """The stranger model's file first, then the card that names it: in between, the old card finds damage, not lies."""
    content = packed(impostors.fit(collections))
    path = model.path.with_name(f"{model.card.name}.strangers.npz")
    facts = StrangerFacts(
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        dataset=dataset,
        people=report.people,
        faces=report.faces,
        error=round(report.error, 4),
        shift=round(report.shift, 4),
        rates=dict(report.rates),
    )
    model_bundle.replace_file(path, content)
    fields: dict[str, Any] = {"strangers": facts, "genuine_quantiles": dict(report.genuine_quantiles)}
    model_bundle.save(model.path.parent, ModelCard.model_validate({**model.card.model_dump(), **fields}))


def quality(
    images: Images,
    people: Annotated[int, typer.Option("--people", min=10, help="People with nine photos to use, at most.")] = 70,
    seed: Annotated[int, typer.Option("--seed", help="The same seed takes the same people.")] = 0,
    model: ModelName = "mobilefacenet",
    detector: DetectorName = "mtcnn",
    max_side: MaxSide = None,
    cache: Cache = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Fit clarity again: how much of its likeness does a smaller, blurred or darker face keep, and is it predicted?

    \b
    Example:
      facesecure-train evaluate quality --images lfw-dev/images --cache ~/.cache/faces --plot out
    """
    from facesecure_training.evaluation import quality_fit

    setting = setting_of(model, detector, max_side, cache, state_dir)
    report = quality_fit.measure(setting, images, people, seed)
    if plot:
        from facesecure_training.evaluation import plots

        plots.quality(plot / "quality.png", report)
    if as_json:
        asked = {"model": model, "sha256": setting.load().sha256, "detector": detector, "max_side": max_side}
        print_json({**asked, "seed": seed, **report.as_json()})
        return
    _print(report)


def _print(report: QualityReport) -> None:
    typer.echo(f"{report.faces} faces of {report.people} people; rank correlation {report.rank_correlation:.3f}")
    typer.echo(
        f"error (root mean square): {report.error_in_code:.3f} as in the code, {report.error_fitted:.3f} as fitted"
    )
    typer.echo(f"\n{'constant':22} {'in the code':>12} {'fitted':>10}")
    for name, value in report.in_code.items():
        typer.echo(f"{name:22} {value:12.4g} {report.fitted[name]:10.4g}")
    typer.echo(f"\n{'predicted':>9} {'kept':>6} {'sd':>6} {'faces':>6}")
    for one in report.bins:
        typer.echo(f"{one.predicted:9.3f} {one.kept:6.3f} {one.sd:6.3f} {one.faces:6}")
    typer.echo(f"\n{'predicted':>9} {'kept':>6} {'faces':>6}  spoilt by")
    for kind in report.kinds:
        typer.echo(f"{kind.predicted:9.3f} {kind.kept:6.3f} {kind.faces:6}  {kind.kind}")
