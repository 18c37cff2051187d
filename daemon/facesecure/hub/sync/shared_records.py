"""What a daemon shares as records: visitors, marked faces, and the calibration."""

from __future__ import annotations

from facesecure.app.assembly import Daemon
from facesecure.app.changes import Topic
from facesecure.domain.actors import DAEMON, acting
from facesecure.hub.rows import RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.calibration import Judge, SharedCalibration
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.local_people import Lend
from facesecure.hub.sync.marks import SharedMarks
from facesecure.hub.sync.records import HouseholdRecords, Taker
from facesecure.hub.sync.visitors import Looks, PeopleIds, SharedVisitors


class SharedRecords:
    """Shares the records of ``daemon``. One thread uses it.

    Example::

        shared = SharedRecords(daemon, household, people.ids, people.lend)
        Link(store, [known.learn, household.refresh, people.duty, shared.share])
    """

    def __init__(self, daemon: Daemon, household: Household, people: PeopleIds, lend: Lend) -> None:
        """``people``: which local person is which at the hub; ``lend``s models when faces come from other doors."""
        context = daemon.context
        self._household = household
        embedder = context.models.embedder
        looks = Looks(embedder.sha256, embedder.size, context.match_visitor)
        changed = context.changes.bumper(Topic.VISITORS, Topic.VISITS)
        self._visitors = SharedVisitors(context.store, looks, people, context.config.store.keep_days, changed)
        self._marks = SharedMarks(context.store, people, lend)
        judge = Judge(embedder.sha256, context.models.scores, context.config.verdict.false_accept)
        self._calibration = SharedCalibration(context.store, judge, people)
        takers: dict[RecordKind, Taker] = {RecordKind.VISITOR: self._visitors, RecordKind.MARKED: self._marks}
        if context.models.classifier is None:  # a classifier brings its thresholds along
            takers[RecordKind.CALIBRATION] = self._calibration
        self._calibrates = context.models.classifier is None
        self._records = HouseholdRecords(context.state_dir, household, takers)

    def share(self, hub: HubStore) -> None:
        """Read what others have changed, then say what has changed here. Raises HubError, StoreError."""
        with acting(DAEMON):
            if not self._records.pull(hub):
                hub.database.wake()  # go on after the other duties
                return
            may_enrol = self._household.may(Right.ENROL)
            self._visitors.push(hub, self._records, may_enrol=may_enrol)
            self._marks.push(hub, self._records, may_enrol=may_enrol)
            if self._calibrates:
                self._calibration.push(hub, self._records, may_enrol=may_enrol)
