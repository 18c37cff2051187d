"""``facesecure-train evaluate strangers``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from facesecure.recognize.embedder import ModelEmbedder
from facesecure.recognize.stranger_model import packed
from facesecure.vision.card_facts import StrangerFacts
from facesecure.vision.model_card import Model, ModelCard
from facesecure_training import strangers
from facesecure_training.cli_options import (
    AsJson,
    Cache,
    DetectorName,
    MaxSide,
    ModelName,
    StateDir,
    Write,
    dataset_of,
    print_json,
    setting_of,
)
from facesecure_training.embeddings import embed_photos, photos_by_person
from facesecure_training.evaluate import Setting
from facesecure_training.exporting import bundle
from facesecure_training.strangers import Collection, StrangerReport

Images = Annotated[
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
    images: Images,
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
    report = strangers.measure(collections)
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


def _write(model: Model, collections: list[Collection], report: StrangerReport, dataset: str) -> None:
    """The stranger model's file first, then the card that names it: in between, the old card finds damage, not lies."""
    content = packed(strangers.fit(collections))
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
    bundle.replace_file(path, content)
    fields: dict[str, Any] = {"strangers": facts, "genuine_quantiles": dict(report.genuine_quantiles)}
    bundle.save(model.path.parent, ModelCard.model_validate({**model.card.model_dump(), **fields}))
