"""The manifest of an extraction, from its journal, in memory that does not grow with it."""

from __future__ import annotations

import shutil
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from facesecure_training.common.photos import class_name
from facesecure_training.datasets import manifest
from facesecure_training.datasets.crop_folder import CropFolder
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.journal import Journal
from facesecure_training.datasets.manifest import ManifestRow
from facesecure_training.datasets.near_duplicates import NearDuplicateFilter, unpacked
from facesecure_training.datasets.settings import ExtractionSettings

_CLASSES = 64
"""Classes whose photos are remembered, to compare others with them; rows come class by class."""


def write_manifest(crops: CropFolder, journal: Journal, settings: ExtractionSettings) -> tuple[int, dict[str, int]]:
    """Write the manifest and return the number of faces, in all and by class.

    Rows are in the order of the sources; sources done once that no longer exist come last.
    """
    crops.refresh()
    counts = Counter(dict.fromkeys(_labels(journal), 0))

    def counted(rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        for row in rows:
            counts[row["class"]] += 1
            yield row

    with _scratch(journal.folder) as scratch, closing(journal.all_rows()) as rows:
        found = manifest.write(scratch, counted(_thinned(rows, crops, settings)), settings.described())
        crops.put(scratch / MANIFEST, MANIFEST)
    return found, dict(counts)


@contextmanager
def _scratch(state: Path) -> Iterator[Path]:
    """Yield an empty folder in the state folder, always the same: a process that was killed left it full."""
    folder = state / "manifest"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _labels(journal: Journal) -> Iterator[str]:
    """Yield the classes of the sources that are there, in their order."""
    before = None
    for name in journal.index.names():
        folder = name.split("/", 1)[0]
        if folder != before:
            yield class_name(folder)
        before = folder


def _thinned(rows: Iterable[ManifestRow], crops: CropFolder, settings: ExtractionSettings) -> Iterator[ManifestRow]:
    """Yield the rows without photos that are near duplicates of another photo of their class.

    Only all photos together can show that, so a duplicate is moved aside here, and moved back if its twin is gone.
    Videos are thinned one by one, during extraction.
    """
    thinners: OrderedDict[str, NearDuplicateFilter] = OrderedDict()
    for row in rows:
        if row["kind"] == "photo" and settings.thin < 1:
            if not _thinner(thinners, row["class"], settings).admits(unpacked(row["thumb"])):
                crops.set_aside(row["file"])
                continue
            crops.bring_back(row["file"])
        yield {name: value for name, value in row.items() if name != "thumb"}


def _thinner(
    thinners: OrderedDict[str, NearDuplicateFilter], label: str, settings: ExtractionSettings
) -> NearDuplicateFilter:
    found = thinners.pop(label, None) or NearDuplicateFilter(settings.thin)
    thinners[label] = found
    if len(thinners) > _CLASSES:
        thinners.popitem(last=False)
    return found
