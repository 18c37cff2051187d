"""What earlier runs of an extraction left in its output, and how it is removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from facesecure_training.datasets.crop_folder import CropFolder
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.journal import Journal, lines_in

log = logging.getLogger(__name__)


def count_written(crops: CropFolder) -> int:
    """Return how many faces are there that an extraction recorded; a damaged line of its journal counts as one."""
    if not crops.state_folder.is_dir():
        return 0
    damaged, files = 0, dict[str, None]()
    for done in lines_in(crops.state_folder):
        if done is None:
            damaged += 1
        else:
            files |= {row["file"]: None for row in done.rows}
    return crops.count(list(files)) + damaged


def discard(crops: CropFolder, journal: Journal) -> None:
    """Remove what an extraction wrote, with its manifest and its state, and nothing else.

    Where lines of the journal are damaged, faces of the sources that are there now are removed by their names. An
    interrupted removal must be done again before anything is extracted. Raises FacesecureError, and removes nothing, if
    the journal names files that lie elsewhere.
    """
    damaged = sum(done is None for done in lines_in(journal.folder))  # all are read before anything is removed
    journal.forget_settings()
    for done in lines_in(journal.folder):
        if done is not None:
            crops.remove([row["file"] for row in done.rows])
    remove_crops_of(journal.begun, crops)
    if damaged:
        remove_crops_of(journal.index.names(), crops)
    crops.remove([MANIFEST])
    crops.remove_aside()
    journal.begin_anew()


def remove_unrecorded(crops: CropFolder, journal: Journal) -> None:
    """Remove the faces that an interrupted run put in place and did not record: their source may be another by now."""
    recorded = {row["file"] for name in journal.begun for row in journal.rows(name)}
    remove_crops_of(journal.begun, crops, recorded)
    journal.begun.clear()


def remove_changed(crops: CropFolder, journal: Journal) -> None:
    """Remove the faces of sources that were done and have changed since."""
    for one in journal.index.waiting():
        if before := journal.rows(one.name):
            crops.remove([row["file"] for row in before])
            journal.withdraw(one.name)


def redo_if_emptied(crops: CropFolder, journal: Journal) -> None:
    """Let everything be done again if the output has no class folder any more, although faces were extracted.

    Single faces that somebody has removed stay away.
    """
    if crops.has_folders() or next(journal.all_rows(), None) is None:
        return
    log.warning("%s holds none of the faces that were extracted into it: all sources are done again", crops.shown)
    crops.remove_aside()
    journal.clear()


def remove_crops_of(names: Iterable[str], crops: CropFolder, but: Iterable[str] = ()) -> None:
    """Remove the files that are called as crops of the sources called ``names``, except ``but``."""
    kept = set(but)
    for files in crops.crops_of(names):
        crops.remove([file for file in files if file not in kept])
