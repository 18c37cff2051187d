"""Each ``facesecure-train train KIND``: its settings, its network and its recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.settings import (
    CompactSettings,
    EmbedderSettings,
    HugonetSettings,
    SiameseSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from facesecure_training.datasets.folders import ClassFolder


@dataclass(frozen=True, slots=True)
class RecipeKind:
    """A kind of training: ``recipe`` creates network and recipe; ``evaluation`` the command that measures it."""

    settings: type[TrainingSettings]
    recipe: Callable[[Any], Recipe]
    evaluation: str


def _hugonet(settings: HugonetSettings) -> Recipe:
    from facesecure_training.networks.hugonet import hugonet
    from facesecure_training.recipes.classify import ClassifierTraining
    from facesecure_training.recipes.data import classifier_data

    folders = classifier_data(settings)
    options: dict[str, Any] = {"side": settings.size, "width": settings.width, "dropout": settings.dropout}
    return ClassifierTraining(hugonet(len(folders[0].classes), **options), folders, settings)


def _compact(settings: CompactSettings) -> Recipe:
    from facesecure_training.networks.compact import compact
    from facesecure_training.recipes.classify import ClassifierTraining
    from facesecure_training.recipes.data import classifier_data
    from facesecure_training.recipes.head import HeadTraining

    folders = classifier_data(settings)
    if settings.kind == "head":
        return HeadTraining(folders, settings)
    options: dict[str, Any] = {"side": settings.size, "width": settings.width, "dropout": settings.dropout}
    return ClassifierTraining(compact(len(folders[0].classes), kind="cnn", **options), folders, settings)


def _siamese(settings: SiameseSettings) -> Recipe:
    from facesecure_training.networks.densenet import densenet
    from facesecure_training.recipes.data import training_and_validation
    from facesecure_training.recipes.initial_weights import begin_with

    network = densenet(
        units(settings.blocks),
        growth=settings.growth,
        theta=settings.theta,
        embedding=settings.embedding,
        side=settings.size,
        normalise=settings.unit_length,
    )
    if settings.initial is not None:
        begin_with(network, settings.initial)
    return _siamese_recipe(network, training_and_validation(settings), settings)


def _siamese_recipe(network: Any, folders: tuple[ClassFolder, ClassFolder], settings: SiameseSettings) -> Recipe:
    if settings.objective == "people":
        from facesecure_training.recipes.people import PeopleTraining

        return PeopleTraining(network, folders, settings)
    if settings.objective == "arcface":
        from facesecure_training.recipes.embed import EmbedderTraining

        return EmbedderTraining(network, folders, settings.as_embedder())
    if settings.objective == "distil":
        from facesecure_training.recipes.distil import DistilTraining

        return DistilTraining(network, folders, settings)
    from facesecure_training.recipes.siamese import SiameseTraining

    return SiameseTraining(network, folders, settings)


def _embedder(settings: EmbedderSettings) -> Recipe:
    from facesecure_training.networks.embedder import embedder
    from facesecure_training.recipes.data import training_and_validation
    from facesecure_training.recipes.embed import EmbedderTraining

    network = embedder(settings.embedding, width=settings.width, activation=settings.activation, side=settings.size)
    return EmbedderTraining(network, training_and_validation(settings), settings)


def units(words: str) -> tuple[int, ...]:
    """Parse "6,12,24,16" as numbers. Raises UsageError for anything else."""
    try:
        return tuple(int(word) for word in words.split(","))
    except ValueError:
        raise UsageError(f"--blocks {words!r} is not a list of numbers", "write it as 6,12,24,16") from None


KINDS: Mapping[str, RecipeKind] = {
    "hugonet": RecipeKind(HugonetSettings, _hugonet, "classifier"),
    "compact": RecipeKind(CompactSettings, _compact, "classifier"),
    "siamese-densenet": RecipeKind(SiameseSettings, _siamese, "verification"),
    "embedder": RecipeKind(EmbedderSettings, _embedder, "verification"),
}
