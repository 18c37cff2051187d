"""The parts of a running daemon that the page's verbs answer from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.policy.policy import Policy
from facesecure.app.changes import ChangeFeed
from facesecure.app.control.commands import Commands
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.watching import WatchedCamera
from facesecure.config import FacesecureConfig
from facesecure.services.camera_trial import CameraTrials
from facesecure.services.doctor_run import DoctorRun
from facesecure.services.model_stack import ModelStack
from facesecure.services.open_drafts import Drafts
from facesecure.services.sign_in import SignIn
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class WebParts:
    """What the verbs use. ``commands`` are those of the control socket: status, arm, drill.

    ``with load_models() as models:`` lends a set of models that no camera uses, for enrolment: to one thread at a time,
    and the first loan takes seconds. ``changes`` counts what a page may wait for. ``settings`` is None where the
    configuration is not that of a file, as in the demo. ``doctor`` runs the checks of ``facesecure doctor``.
    """

    config: FacesecureConfig
    state_dir: Path
    store: Store
    policy: Policy
    dispatcher: Dispatcher
    cameras: Sequence[WatchedCamera]
    commands: Commands
    load_models: Callable[[], AbstractContextManager[ModelStack]]
    changes: ChangeFeed = field(default_factory=ChangeFeed)
    any_account: Callable[[], bool] = lambda: False
    sign_in: SignIn | None = None
    drafts: Drafts = field(default_factory=Drafts)
    """The enrolments that are open, and not saved yet."""
    trials: CameraTrials = field(default_factory=CameraTrials)
    """The cameras that were tried, and are not added yet."""
    settings: SettingsAccess | None = None
    doctor: DoctorRun = field(default_factory=DoctorRun)
    look_outside: Callable[[], object] = lambda: None
    """Notices what other processes have changed, for pages that wait."""
