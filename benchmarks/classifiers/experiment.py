"""Run the whole experiment, training by training; what is done is kept, and the same command continues it."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.classifiers import clips, crops, manifest, outputs, plan, searching
from benchmarks.classifiers.figures import Judged
from benchmarks.classifiers.manifest import Entry, Photos
from benchmarks.classifiers.people import LEAST_PHOTOS, Division, divide_people
from benchmarks.classifiers.plan import FAMILIES, Budget, Unit
from benchmarks.one_person import WHO
from benchmarks.steps import Steps

DIVISION_SEED = 2020


class Experiment:
    """The experiment in the folder of ``steps``, on the photos in ``images``.

    Example::

        experiment = Experiment(Steps(Path("build")), Path("lfw/images"), Budget())
        settings = experiment.search({})
        judged = {unit: experiment.judge(unit, settings) for unit in experiment.units}
    """

    def __init__(self, steps: Steps, images: Path, budget: Budget, least: int = LEAST_PHOTOS) -> None:
        """Cut and divide the faces. Raises UsageError if there are too few people for ``budget``.

        WHO is left out: he is tested in an experiment of his own, with the settings that are searched here.
        """
        self.steps, self.budget = steps, budget
        self.photos: Photos = crops.extract(steps, images)
        counts = {name: len(some) for name, some in self.photos.items() if name != WHO}
        self.division: Division = divide_people(counts, households=budget.households, least=least, seed=DIVISION_SEED)
        self.units = tuple(dict.fromkeys(plan.units(budget)))

    def search(self, before: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what the search found for each family.

        Where nothing is searched, that is what was found ``before``, or empty settings.
        """
        entries = manifest.search_manifest(self.photos, self.division, self.budget.search_others, DIVISION_SEED)
        found: dict[str, dict[str, Any]] = {}
        for name in self.budget.families:
            family = FAMILIES[name]
            faces = f"faces/{family.crops}-search"
            self._arrange(faces, family.crops, entries)
            if name in self.budget.searched:
                found[name] = searching.search(self.steps, name, faces, self.budget, DIVISION_SEED)
            else:
                found[name] = {"settings": {}, **before.get(name, {})}
        return found

    def manifest_of(self, unit: Unit) -> list[Entry]:
        """Return every photo of ``unit``, by part. Raises Leak."""
        entries = manifest.manifest_of(self.photos, self.division, unit.household, unit.others)
        if unit.split == "photo":
            return entries
        return clips.by_clip(entries) if unit.split == "clip" else clips.by_frame(entries)

    def judge(self, unit: Unit, settings: Mapping[str, Mapping[str, Any]]) -> Judged:
        """Train ``unit`` unless it is trained, and return it with its outputs."""
        family, entries = FAMILIES[unit.family], self.manifest_of(unit)
        manifest.write(self.steps.folder / "manifests" / f"{unit.faces}.csv", entries)
        source = self._arrange(f"faces/{unit.faces}", family.crops, entries)
        faces = ("--data", f"faces/{unit.faces}/train", "--validation", f"faces/{unit.faces}/validation")
        options = plan.words(unit, settings[unit.family]["settings"], self.budget)
        self.steps.train(family.recipe, f"runs/{unit.name}", *faces, *options)
        lights = tuple(outputs.LIGHTS) if unit.augment else ("as taken",)
        return Judged(outputs.measure(self.steps.folder / "runs" / unit.name, source, entries, lights))

    def run(self, settings: Mapping[str, Mapping[str, Any]]) -> dict[Unit, Judged]:
        """Return all trainings, judged; says on stderr what is left, and after Ctrl-C what is kept."""
        judged: dict[Unit, Judged] = {}
        remaining = Remaining(self.units)
        for unit in self.units:
            print(remaining.line(unit), file=sys.stderr, flush=True)
            began = time.monotonic()
            try:
                judged[unit] = self.judge(unit, settings)
            except KeyboardInterrupt:
                print(f"{len(judged)} of {len(self.units)} trainings are kept; run it again", file=sys.stderr)
                raise
            remaining.add(unit, time.monotonic() - began)
        return judged

    @property
    def chose(self) -> frozenset[str]:
        """The people on whom settings were chosen."""
        return frozenset((*self.division.searching, *self.division.search_others))

    def facts(self) -> dict[str, Any]:
        """Return the numbers of people and photos by group, and a digest of who is where."""
        groups = {
            "in households": [name for household in self.division.households for name in household],
            "of the search": [*self.division.searching, *self.division.search_others],
            "others": self.division.others,
            "strangers who choose thresholds": self.division.validation_strangers,
            "strangers of the test": self.division.strangers,
        }
        counted = {
            group: {"people": len(names), "photos": sum(len(self.photos[name]) for name in names)}
            for group, names in groups.items()
        }
        digest = hashlib.sha256(repr(self.division).encode()).hexdigest()[:16]
        return {"groups": counted, "households": [list(one) for one in self.division.households], "digest": digest}

    def _arrange(self, faces: str, kind: str, entries: Sequence[Entry]) -> Path:
        """Link the training and validation images into the folder ``faces``; return where the crops are."""
        source = self.steps.folder / "crops" / kind
        if any(".frame" in entry.photo for entry in entries):
            folder = self.steps.folder / "crops" / f"{kind}-clips"
            clips.write_frames(source, folder, entries)
            source = folder
        crops.link(source, entries, self.steps.folder / faces)
        return source


class Remaining:
    """Says which training is next, and how long the rest will take by those done in this session."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._left = list(units)
        self._all = len(units)
        self._took: dict[str, list[float]] = {}

    def add(self, unit: Unit, seconds: float) -> None:
        """Note that ``unit`` is done."""
        self._left.remove(unit)
        self._took.setdefault(unit.family, []).append(seconds)

    def line(self, unit: Unit) -> str:
        """Return a line about ``unit``, the next."""
        known = [float(np.median(some)) for some in self._took.values()]
        typical = {family: float(np.median(some)) for family, some in self._took.items()}
        rest = sum(typical.get(one.family, max(known, default=0.0)) for one in self._left)
        after = f", about {rest / 60:.0f} min left" if known else ""
        return f"training {self._all - len(self._left) + 1} of {self._all}{after}: {unit.name}"
