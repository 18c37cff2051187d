"""The household's configuration, state, models and people, opened once for everything that runs in the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.alerts.policy.arming import Arming
from facesecure.app.changes import ChangeFeed, Topic
from facesecure.app.housekeeping import RetentionTask
from facesecure.app.ram_fallback import StateLocation
from facesecure.camera.synthetic.portraits import Portrait
from facesecure.config import FacesecureConfig
from facesecure.domain.actors import DAEMON
from facesecure.domain.mode import Mode
from facesecure.pipeline.model_pool import ModelPool, workers
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.services import audit
from facesecure.services.drill.stranger import stranger_here
from facesecure.services.model_stack import ModelStack
from facesecure.services.people import finish_interrupted
from facesecure.storage.build import build_store
from facesecure.storage.integrity import problems
from facesecure.storage.store import Store

if TYPE_CHECKING:
    from facesecure.services.updates import Updates


@dataclass(frozen=True, slots=True)
class DaemonContext:
    """What the parts of a daemon share. Make one with ``open_context``.

    ``location`` is where the state is kept, ``models`` serve what is not bound to a camera; tracks are judged by
    ``rule``, with the models that ``pool`` lends to the cameras; ``match_visitor`` recognises a stranger who was
    here before.
    """

    config: FacesecureConfig
    location: StateLocation
    store: Store
    arming: Arming
    models: ModelStack
    rule: VerdictRule
    pool: ModelPool
    match_visitor: MatchVisitor
    changes: ChangeFeed = field(default_factory=ChangeFeed)
    """What the page waits for."""
    updates: Callable[[], Updates | None] = lambda: None
    """Returns what is known of newer versions; nothing where that is not asked for."""

    @property
    def state_dir(self) -> Path:
        """The directory in use, which may stand in for the one configured."""
        return self.location.path

    @property
    def several(self) -> bool:
        """Whether there is more than one camera."""
        return len(self.config.cameras) > 1

    def names(self) -> list[str]:
        """Return the names of all people who can be recognised."""
        return self.models.names(self.store)

    def problems(self) -> list[str]:
        """Return a sentence for each document, person and account that is refused because others changed it."""
        return problems(self.state_dir, self.store)

    def record(self, action: str, *subjects: object) -> None:
        """Record ``action`` in the audit log; never raises."""
        audit.record(self.state_dir, action, *subjects)

    def drill_stranger(self, camera: str) -> Portrait:
        """Return the portrait of a stranger to this household, for a drill at ``camera``.

        Raises UsageError if every portrait is enrolled. Waits for a set of models: call it on the camera's thread.
        """
        rule = self.models.rule(self.config, self.store, self.state_dir, single_image=True)
        with self.pool.lend(camera) as models:
            return stranger_here(replace(models, rule=rule))

    def group(self, sighting: str) -> object:
        """Assign the stranger's sighting with the identifier ``sighting`` to a visitor. Raises StoreError."""
        return self.store.visitors.group(sighting, self.match_visitor)

    def startup_events(self) -> Iterator[tuple[str, str]]:
        """Yield (event of the service, reason) for what happened to the state before this start.

        Reasons are for reading and may be empty.
        """
        if self.store.restored:
            yield "restored", ""
        if freed := self.store.freed + self.location.freed:
            yield "disk_full", f"{freed / 1e6:.0f} MB of old films, snapshots and backups were removed"
        if self.location.complaint:
            yield "unwritable", self.location.complaint


def open_context(config: FacesecureConfig, location: StateLocation, stack: ExitStack) -> DaemonContext:
    """Load the models, open the state, and start pruning it; ``stack`` closes both. Raises ModelError or StoreError."""
    cameras = config.each_camera()
    smallest = min(one.detector.min_face for one in cameras)
    finest = config.model_copy(update={"detector": config.detector.model_copy(update={"min_face": smallest})})
    sets = ModelStack.load_sets(finest, location.path, workers(len(cameras)))
    store = stack.enter_context(build_store(config.store, location.path))
    if store.restored:
        audit.record(location.path, "database-restored", actor=DAEMON)
    finish_interrupted(store, config, location.path)
    changes = ChangeFeed()
    initial, delay = Mode(config.policy.mode), config.policy.exit_delay
    arming = Arming(location.path, initial, changes.bumper(Topic.MODE), exit_delay=delay)
    rule = sets[0].rule(config, store, location.path)
    pool = ModelPool([one.judged_by(rule, store) for one in sets])
    match_visitor = sets[0].match_visitor
    store.visitors.group_left_over(match_visitor)
    stack.enter_context(RetentionTask(store, location.limits(config.store), newest=store.last_seen, clips=config.clips))
    updates = _updates(config, location, changes, stack)
    return DaemonContext(config, location, store, arming, sets[0], rule, pool, match_visitor, changes, updates)


def _updates(
    config: FacesecureConfig, location: StateLocation, changes: ChangeFeed, stack: ExitStack
) -> Callable[[], Updates | None]:
    """Ask for newer versions until ``stack`` ends, if the configuration says so; return what tells the answer."""
    if not config.updates.check:
        return lambda: None
    from facesecure.app.update_check import UpdateCheck

    check = stack.enter_context(UpdateCheck(config.updates, location.path, changes.bumper(Topic.TROUBLES)))
    return lambda: check.known
