"""The report of a drill: its steps with their times, saved by date and signed, for the drill history and the doctor."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.storage.anonymise import replace_name
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.files import make_private_folders

FOLDER = "drills"
KEPT = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One step, ``seconds`` after the drill began; ``channel`` is the plugin concerned, empty if none."""

    what: str
    seconds: float
    channel: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """One drill. ``good``: every channel delivered. ``why`` says in a sentence what failed, or how long it took.

    ``camera`` is the name of the one that showed the stranger; empty in reports of before there were several.
    """

    began_at: datetime
    steps: tuple[Step, ...]
    done: bool
    good: bool
    why: str
    camera: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values, for a file, the control socket and --json."""
        return {**asdict(self), "began_at": self.began_at.isoformat(), "steps": [asdict(step) for step in self.steps]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DrillReport:
        """Return the report that ``as_json`` turned into ``values``. Raises ValueError, KeyError or TypeError."""
        steps = tuple(Step(**step) for step in values["steps"])
        began_at = datetime.fromisoformat(values["began_at"])
        camera = str(values.get("camera", ""))
        return cls(began_at, steps, bool(values["done"]), bool(values["good"]), str(values["why"]), camera)


def save_report(report: DrillReport, state_dir: Path) -> Path:
    """Write ``report`` under its date, and delete the oldest beyond KEPT. Raises OSError or StoreError.

    Of two drills that began at the same time, on a clock that was set back, both are kept.
    """
    folder = state_dir / FOLDER
    make_private_folders(state_dir, folder)
    path = SignedDocuments(state_dir).write(f"{FOLDER}/{_free_name(report, folder)}", report.as_json())
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def _free_name(report: DrillReport, folder: Path) -> str:
    """Return a name that no other report in ``folder`` has; names in order are reports in order."""
    began = f"{report.began_at:%Y-%m-%dT%H-%M-%S-%f}"
    names = chain([f"{began}Z.json"], (f"{began}-{number}Z.json" for number in count(2)))
    return next(name for name in names if not (folder / name).exists())


def load_reports(state_dir: Path) -> list[DrillReport]:
    """Return all saved reports, newest first; files that are not reports are logged and skipped."""
    documents = SignedDocuments(state_dir)
    names = [f"{FOLDER}/{path.name}" for path in sorted((state_dir / FOLDER).glob("*.json"), reverse=True)]
    return [report for name in names if (report := _read(documents, name))]


def reword_reports(state_dir: Path, old: str, new: str) -> None:
    """Replace the name ``old`` by ``new`` in all reports; delete files that name it and are not reports.

    Raises OSError or StoreError.
    """
    documents = SignedDocuments(state_dir)
    for path in sorted((state_dir / FOLDER).glob("*")):
        name = f"{FOLDER}/{path.name}"
        report = _read(documents, name) if path.suffix == ".json" else None
        if report is None:
            path.unlink(missing_ok=True)
        elif (reworded := _reworded(report, old, new)) != report:
            documents.write(name, reworded.as_json())


def _reworded(report: DrillReport, old: str, new: str) -> DrillReport:
    steps = tuple(replace(step, note=replace_name(step.note, old, new)) for step in report.steps)
    return replace(report, steps=steps, why=replace_name(report.why, old, new))


def last_good_report(state_dir: Path) -> DrillReport | None:
    """Return the newest report of a drill in which every channel delivered, None if there is none."""
    return next((report for report in load_reports(state_dir) if report.good), None)


def _read(documents: SignedDocuments, name: str) -> DrillReport | None:
    try:
        return DrillReport.from_json(documents.read(name))
    except StoreError as error:
        _log.error("a report of a drill is ignored: %s", error.message)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("%s is not the report of a drill: %s", documents.folder / name, error)
    return None
