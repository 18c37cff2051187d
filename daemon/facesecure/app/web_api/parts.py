"""The parts of a running daemon that the page's verbs answer from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.policy.policy import Policy
from facesecure.app.control.commands import Commands
from facesecure.app.watching import WatchedCamera
from facesecure.config import FacesecureConfig
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class WebParts:
    """What the verbs use. ``commands`` are those of the control socket: status, arm, drill.

    ``load_models`` returns a set of models that no camera uses, for enrolment; it may take seconds.
    """

    config: FacesecureConfig
    state_dir: Path
    store: Store
    policy: Policy
    dispatcher: Dispatcher
    cameras: Sequence[WatchedCamera]
    commands: Commands
    load_models: Callable[[], ModelStack]
