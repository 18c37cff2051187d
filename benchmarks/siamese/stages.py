"""Runs the stages as recorded commands, and keeps what each gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.siamese.plan import MOST_COSTLY, SEARCHED, STAGES, THRESHOLD_COSINE, Budget, Shape, Stage, words_of
from benchmarks.steps import Steps
from facesecure.vision.images.align import SIZE
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.export import runtimes
from facesecure_training.export.samples import shipped_samples
from facesecure_training.networks import saved
from facesecure_training.networks.mirrored import mirrored
from facesecure_training.recipes.pair_validation import PairValidation
from facesecure_training.search import report, study

Found = dict[str, Any]
EXTRACT = ("--faces", "central", "--min-quality", 0, "--thin", 1, "--min-face", 20)
BUNDLED = "mobilefacenet"
USUAL_FORM, WHOLE_NUMBERS, _EVERY_FORM = "float16", "int8", "all"
_DATABASE = "search.db"


@dataclass(frozen=True, slots=True)
class Bench:
    """One bench: its recorded ``steps``, the folder ``data``, how much is run, and the seed of everything."""

    steps: Steps
    data: Path
    budget: Budget
    seed: int

    def extract(self) -> Path:
        """Extract the faces of CelebA's small photos. Return their folder."""
        source = self.data / "celeba-small"
        listed = ("--identities", source / "identities.csv")
        self.steps.run("dataset", "extract", "-d", source / "images", *listed, "-o", "small", *EXTRACT)
        return self.steps.folder / "small"

    @property
    def has_searched(self) -> bool:
        """Whether a search was begun in this folder."""
        return (self.steps.folder / _DATABASE).exists()

    def search(self) -> Found:
        """Search the settings on people of the validation. Return the best trial's, and how many there were."""
        budget, database = self.budget, self.steps.folder / _DATABASE
        done = self.steps.search(
            database, "search", "--kind", "siamese-densenet", "--siamese", "people", "--data", "people/train",
            "--validation", "people/validation", "--trials", budget.trials, "--epochs", *budget.trial_epochs,
            "--lr", *budget.rates, "--sampler", "tpe", "--pruner", "median", "--storage", f"sqlite:///{_DATABASE}",
            "--out", "search", "--seed", self.seed,
        )  # fmt: skip
        return {"command": done["command"], "seconds": done["seconds"], "cpu": done["cpu"], **_best(database)}

    def stage(self, stage: Stage, settings: Mapping[str, Any]) -> Found:
        """Train ``stage`` with the searched ``settings``, export it and measure it. Return its commands' records."""
        trained = [
            self.steps.train(one.kind, f"runs/{one.name}", *words_of(one, settings, self.budget, self.seed))
            for one in stage.trainings
        ]
        exported = self.export(stage, USUAL_FORM)
        model = exported["said"]["forms"][0]["file"]
        return {"train": trained, "export": exported, **self.verified(model, stage.name, stage.rule)}

    def export(self, stage: Stage, form: str) -> Found:
        """Export the run of ``stage`` in ``form``; of all forms, those that are refused are left out."""
        name = stage.name if form == USUAL_FORM else f"{stage.name}-{form}"
        words = ("--form", form, "--name", name, "--data", "people/validation", "--into", "models", "--json")
        return self.steps.run("export", f"runs/{stage.run}", *words, *(("--mirrored",) if stage.mirrored else ()))

    def verified(self, model: str, name: str, rule: float | None) -> Found:
        """Measure ``model`` on all pairs of LFW, and on pairs of people of CelebA who are in no other part."""
        for part, count, split in (("validation", 1000, (0, 1, 0)), ("test", self.budget.test_pairs, (0, 0, 1))):
            words = ("-d", f"people/{part}", "-o", f"pairs-{part}", "--split", *split, "--count", count)
            self.steps.run("dataset", "pairs", *words, "--seed", self.seed)
        lfw, fixed = self.data / "lfw-dev", () if rule is None else ("--rule", rule)
        chosen = ("--validation", "pairs-validation/validation.csv", "--validation-images", "people/validation")
        verify = ("evaluate", "verification", "--model", model)
        tested = self.steps.run(
            *verify, "--images", lfw / "images", "--pairs", lfw / "pairs.csv", "--cache", "cache/crops", *chosen,
            *fixed, "--robustness", self.budget.robustness, "--report", f"report/{name}", "--json",
        )  # fmt: skip
        others = self.steps.run(
            *verify, "--images", "people/test", "--pairs", "pairs-test/test.csv", "--detector", "none", *chosen,
            *fixed, "--json",
        )  # fmt: skip
        return {"lfw": tested, "others": others}

    def best(self, found: Mapping[str, Found]) -> tuple[str, float]:
        """Return the stage of the greatest area under the curve on CelebA's validation people, not on any test.

        It is one with embeddings of length 1, which the daemon compares, if there is one; the area comes with it.
        """
        usable = [name for name in found if STAGES[name].rule == THRESHOLD_COSINE] or list(found)
        return max(((name, self._validated(name)) for name in usable), key=lambda one: one[1])

    def _validated(self, name: str) -> float:
        run = self.steps.folder / "runs" / STAGES[name].run
        return self._area_with_mirror_images(run) if STAGES[name].mirrored else _best_area(run)

    def _area_with_mirror_images(self, run: Path) -> float:
        """Return what ``_best_area`` is of a run, on the pairs of a training with the bench's seed."""
        embed, folder = mirrored(saved.read(run)), self.steps.folder
        loading = {"size": embed.input_shape[1:3], "batch": 64, "cache": folder / "cache/pixels"}
        people, count = ClassFolder.read(folder / "people/validation"), self.budget.validation_pairs
        figures = PairValidation(people, count, self.seed, loading)(tensorflow().function(embed, reduce_retracing=True))
        return figures["val_auc"]

    def beside_bundled(self, found: Mapping[str, Found], best: str, validated: float) -> Found:
        """Measure the stage ``best`` as the daemon would use it, and the bundled network, on the same people."""
        model = found[best]["export"]["said"]["forms"][0]["file"]
        if STAGES[best].rule == THRESHOLD_COSINE:
            scores = ("evaluate", "scores", "--model", model, "--images", "people/validation")
            self.steps.run(*scores, "--write-card", "--json")
        bundled, forms = self.verified(BUNDLED, "bundled", None), self.export(STAGES[best], _EVERY_FORM)
        return {
            "best": best, "validated": validated,
            "forms": forms,
            "bundled": bundled, "bundled form": bundled_form(), "whole numbers": self._whole_numbers(forms),
            "openset": {name: self._openset(one) for name, one in ((best, model), (BUNDLED, BUNDLED))},
        }  # fmt: skip

    def _whole_numbers(self, forms: Found) -> Found | None:
        """Measure the form in whole numbers of 8 bits on the pairs of LFW; None if it was refused."""
        lfw = self.data / "lfw-dev"
        pairs = ("--images", lfw / "images", "--pairs", lfw / "pairs.csv", "--cache", "cache/crops")
        for one in forms["said"]["forms"]:
            if one["form"] == WHOLE_NUMBERS and "refused" not in one:
                return self.steps.run("evaluate", "verification", "--model", one["file"], *pairs, "--json")
        return None

    def _openset(self, model: str) -> Found:
        drawn = ("--households", self.budget.households, "--strangers", self.budget.strangers, "--seed", self.seed)
        images = ("--images", self.data / "lfw-dev/images", "--max-side", 150, "--cache", "cache/small-crops")
        return self.steps.run(
            "evaluate", "openset", "--model", model, *images, *drawn, "--peer-photos", 0, "--json"
        )  # fmt: skip


def bundled_form() -> Found:
    """Return size and time of the bundled network, as ``export`` says them of a form."""
    model = load_model(BUNDLED)
    took = runtimes.read(model.content, np.stack(shipped_samples((SIZE, SIZE))))
    times = {took.runtime: {"milliseconds": took.milliseconds}}
    return {"form": BUNDLED, "size": len(model.content), "runtimes": times}


def _best(database: Path) -> Found:
    found = study.open_study(f"sqlite:///{database}", "search", resume=True)
    done = report.finished(found)
    if not done:
        raise SystemExit(f"no trial in {database} has finished: delete it, and run the same command again")
    best = next((trial for trial in done if affordable(trial.params)), done[0])
    settings = {name: _short(value) for name, value in best.params.items() if name in SEARCHED}
    counts = {"finished": len(done), "trials": len(found.get_trials(deepcopy=False))}
    return {"settings": settings, "value": best.value, **counts}


def affordable(params: Mapping[str, Any]) -> bool:
    """Return whether a network is trained for enough epochs within the bench's time.

    In trials of few epochs the largest network wins; trained to its end, it would have too few left.
    """
    shape = Shape(**{name: params[name] for name in ("blocks", "growth", "size") if name in params})
    return shape.cost <= MOST_COSTLY * Shape().cost


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _best_area(run: Path) -> float:
    """Return the best epoch's area under the curve on the people of the validation."""
    import csv

    with (run / "curves.csv").open(newline="") as file:
        return max(float(row["val_auc"]) for row in csv.DictReader(file))
