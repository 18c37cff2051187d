"""The limits of one door: raised above the defaults where its known visits come near them.

A television behind the door, a mirror, a camera that shakes: what makes living people look like a picture is the same
at every visit. The figures of the last known visits are kept in STATE_DIR/liveness.json, signed, without names. A
doubted visit is not among them, and no limit is raised beyond ``HIGHEST``: who comes often with a picture cannot
switch the doubt off.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from facesecure.domain.errors import StoreError
from facesecure.recognition.calibration import Documents
from facesecure.recognition.liveness.visit import Limits, VisitSummary

FILE_NAME = "liveness.json"
HIGHEST = Limits(together=0.8, score=0.95)
ENOUGH = 20
"""Known visits from which a door has limits of its own."""
_KEPT = 100
_MARGIN = 0.1
"""Distance of a limit from the highest figure of a known visit."""
_VERSION = 1

_log = logging.getLogger(__name__)

_Figures = tuple[float, float]


@dataclass(slots=True)
class Doorstep:
    """The known visits of one camera, and the limits that follow from them.

    Example::

        doorstep = Doorstep.load("front door", SignedDocuments(state_dir), Limits())
        doorstep.add(cues.summary)
        cues = cues.judged(doorstep.limits)
    """

    camera: str
    default: Limits
    documents: Documents | None = None
    _visits: list[_Figures] = field(default_factory=list)
    _failed: bool = False

    @classmethod
    def load(cls, camera: str, documents: Documents, default: Limits) -> Doorstep:
        """Read the visits of ``camera``; without a file, or with one that cannot be used, there are none."""
        try:
            visits = _visits_of(documents.read(FILE_NAME), camera)
        except FileNotFoundError:
            visits = []
        except StoreError as error:
            _log.error("%s; pictures held up are judged by the default limits", error.message)
            visits = []
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("%s cannot be understood (%s); the default limits are used", FILE_NAME, error)
            visits = []
        return cls(camera, default, documents, visits)

    @property
    def limits(self) -> Limits:
        """The limits: the defaults, raised above what the known visits of this door reach."""
        if len(self._visits) < ENOUGH:
            return self.default
        together, score = (max(column) + _MARGIN for column in zip(*self._visits, strict=True))
        return Limits(
            max(self.default.together, min(together, HIGHEST.together)),
            max(self.default.score, min(score, HIGHEST.score)),
        )

    def add(self, visit: VisitSummary) -> None:
        """Add a known visit that was not doubted, and write the file. A failure is logged once."""
        if visit.together is None and visit.score is None:
            return
        self._visits = [*self._visits, (visit.together or 0.0, visit.score or 0.0)][-_KEPT:]
        if self.documents is None:
            return
        try:
            self._write(self.documents)
            self._failed = False
        except (OSError, StoreError) as error:
            if not self._failed:
                _log.warning("cannot write %s: the limits of this door are lost at a restart (%s)", FILE_NAME, error)
            self._failed = True

    def _write(self, documents: Documents) -> None:
        try:
            doors = dict(documents.read(FILE_NAME)["doors"])
        except (FileNotFoundError, StoreError, ValueError, KeyError, TypeError):
            doors = {}
        rounded = [[round(figure, 3) for figure in visit] for visit in self._visits]
        documents.write(FILE_NAME, {"version": _VERSION, "doors": {**doors, self.camera: rounded}})


def _visits_of(document: dict[str, object], camera: str) -> list[_Figures]:
    if document["version"] != _VERSION:
        raise ValueError(f"its version is {document['version']!r}, not {_VERSION}")
    doors = document["doors"]
    if not isinstance(doors, dict):
        raise TypeError("its doors are no table")
    found = [(float(together), float(score)) for together, score in doors.get(camera, [])]
    if not all(0 <= figure <= 1 for visit in found for figure in visit):
        raise ValueError("a figure is not between 0 and 1")
    return found[-_KEPT:]
