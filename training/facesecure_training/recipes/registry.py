"""Each ``facesecure-train train KIND`` of this package: its settings, and its network with what teaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.settings import Compact, Embedder, Hugonet, Settings, Siamese


@dataclass(frozen=True, slots=True)
class Kind:
    """``recipe`` makes network and recipe of settings; ``judge`` is the command that measures the result."""

    settings: type[Settings]
    recipe: Callable[[Any], Recipe]
    judge: str


def _hugonet(settings: Hugonet) -> Recipe:
    from facesecure_training.networks.hugonet import hugonet
    from facesecure_training.recipes.classify import Classify
    from facesecure_training.recipes.data import parts

    folders = parts(settings)
    options: dict[str, Any] = {"side": settings.size, "width": settings.width, "dropout": settings.dropout}
    return Classify(hugonet(len(folders[0].classes), **options), folders, settings)


def _compact(settings: Compact) -> Recipe:
    from facesecure_training.networks.compact import compact
    from facesecure_training.recipes.classify import Classify
    from facesecure_training.recipes.data import parts
    from facesecure_training.recipes.head import Head

    folders = parts(settings)
    if settings.kind == "head":
        return Head(folders, settings)
    options: dict[str, Any] = {"side": settings.size, "width": settings.width, "dropout": settings.dropout}
    return Classify(compact(len(folders[0].classes), kind="cnn", **options), folders, settings)


def _siamese(settings: Siamese) -> Recipe:
    from facesecure_training.networks.densenet import densenet
    from facesecure_training.recipes.data import parts
    from facesecure_training.recipes.siamese import SiameseTraining

    network = densenet(
        units(settings.blocks),
        growth=settings.growth,
        theta=settings.theta,
        embedding=settings.embedding,
        side=settings.size,
    )
    return SiameseTraining(network, parts(settings), settings)


def _embedder(settings: Embedder) -> Recipe:
    from facesecure_training.networks.embedder import embedder
    from facesecure_training.recipes.data import parts
    from facesecure_training.recipes.embed import Embed

    network = embedder(settings.embedding, width=settings.width, activation=settings.activation, side=settings.size)
    return Embed(network, parts(settings), settings)


def units(words: str) -> tuple[int, ...]:
    """ "6,12,24,16" as numbers. Raises UsageError for anything else."""
    try:
        return tuple(int(word) for word in words.split(","))
    except ValueError:
        raise UsageError(f"--blocks {words!r} is no list of numbers", "write it as 6,12,24,16") from None


KINDS: Mapping[str, Kind] = {
    "hugonet": Kind(Hugonet, _hugonet, "classifier"),
    "compact": Kind(Compact, _compact, "classifier"),
    "siamese-densenet": Kind(Siamese, _siamese, "verification"),
    "embedder": Kind(Embedder, _embedder, "verification"),
}
