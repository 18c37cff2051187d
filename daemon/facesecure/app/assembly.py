"""Assemble a running daemon from a configuration, and run it.

``assembled`` calls one build function of each room in order; an ExitStack stops the parts in reverse. ``run`` repeats
that for each configuration until the service is stopped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from facesecure.alerts.build import AlertStack, build_alerts
from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.delivery.notify_once import NotifyOnce
from facesecure.app.change_hooks import delivery_changes
from facesecure.app.changes import Topic
from facesecure.app.context import DaemonContext, open_context
from facesecure.app.control.commands import Commands
from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.control.server import serve_control
from facesecure.app.instance_lock import instance_lock
from facesecure.app.lifecycle import AuditedRun, ReloadConfig, Supervisor
from facesecure.app.presence import ArmedHouse, build_presence, warn_of_faces_that_cannot_disarm
from facesecure.app.process_memory import LeanLibraries, map_large_buffers, share_heaps
from facesecure.app.push_channel import push_channel
from facesecure.app.ram_fallback import StateLocation, writable_state
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.systemd import Reporter
from facesecure.app.watching import WatchedCamera, open_sources, start_cameras, watch_all
from facesecure.app.web_api.build import build_page
from facesecure.app.web_api.outside_changes import outside_changes
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.spare_models import SpareModels
from facesecure.camera.capture import LatestFrame
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.domain.actors import DAEMON
from facesecure.domain.interfaces import AlertPlugin
from facesecure.pipeline.movements import Movements
from facesecure.pipeline.pipeline import Onlooker
from facesecure.services import audit
from facesecure.services.drill.drill import Drill
from facesecure.services.drill.injector import VisitorInjector
from facesecure.services.drill.report import DrillReport, save_report
from facesecure.services.model_stack import ModelStack
from facesecure.services.settings_file import Place
from facesecure.services.settings_trial import take_back_untried
from facesecure.services.sign_in import SignIn
from facesecure.storage.store import Store

_log = logging.getLogger(__name__)

_JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """An assembled daemon: everything is started, and no frame has been processed yet.

    Example::

        with assembled(config, state_dir) as daemon:
            daemon.watch()
    """

    cameras: tuple[WatchedCamera, ...]
    dispatcher: Dispatcher
    store: Store
    commands: Commands
    context: DaemonContext
    once: NotifyOnce

    @property
    def captures(self) -> list[tuple[LatestFrame, float]]:
        """The capture of each camera, and the seconds without a frame after which it counts as lost."""
        return [(watched.camera.frames, watched.config.camera.timeout) for watched in self.cameras]

    def watch(self, streams: Sequence[Iterator[Frame]] | None = None, onlooker: Onlooker | None = None) -> None:
        """Process the frames of each camera, by default those captured, as ``watching.watch_all`` does."""
        watch_all(self.cameras, streams or [iter(frames) for frames, _ in self.captures], onlooker)


class Front(Protocol):
    """A way into the daemon beside the page, which runs within it (``facesecure.mqtt`` is one)."""

    def plugins(self) -> Mapping[str, AlertPlugin]:
        """Return the plugins by which it gets alerts; the dispatcher closes them, after the last alert."""

    def opened(self, daemon: Daemon) -> AbstractContextManager[object]:
        """Return what serves ``daemon`` until it ends."""


MakeFront = Callable[[FacesecureConfig], Front | None]
"""Makes a front for a configuration, or None where it is off."""


@contextmanager
def assembled(
    config: FacesecureConfig,
    state_dir: Path,
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    location: StateLocation | None = None,
    settings: SettingsAccess | None = None,
    movements: dict[str, Movements] | None = None,
    fronts: Sequence[MakeFront] = (),
) -> Iterator[Daemon]:
    """Build and start the daemon that ``config`` describes; stop it in reverse order on exit.

    ``extra_plugins`` get every alert beside the plugins that the configuration enables. ``location``: the configured
    state directory, where ``state_dir`` is a copy in memory. ``settings``: how the page changes the configuration.
    ``fronts`` make what serves the daemon besides.
    ``movements``: those that the daemon before this one saw, by camera; what this one sees is added.
    Raises ModelError, StoreError or SourceError before anything has been started that would need stopping.
    """
    location = location or StateLocation(state_dir, state_dir)
    map_large_buffers()
    share_heaps()
    with ExitStack() as stack:
        sources = open_sources(config)
        context = open_context(config, location, stack)
        drills = [_drill(context, one.camera.name) for one in config.each_camera()]
        steps = [*(drill.step for drill in drills), delivery_changes(context.changes)]
        live = any(source.frames.live for source in sources)
        in_use = [front for make in fronts if (front := make(config)) is not None]
        plugins = {
            **push_channel(context),
            **(extra_plugins or {}),
            **{name: one for front in in_use for name, one in front.plugins().items()},
        }
        mode_changed = context.changes.bumper(Topic.MODE)
        alerts = build_alerts(context, stack, live=live, on_step=steps, extra_plugins=plugins, on_entry=mode_changed)
        houses = list[ArmedHouse]()
        cameras = start_cameras(
            context, sources, drills, alerts, stack, movements, lambda name: houses[0].recognised(name)
        )
        commands = Commands.of(context, alerts, cameras)
        houses.append(ArmedHouse(commands, alerts.policy, alerts.dispatcher))
        commands.presence.extend(build_presence(context, houses[0], stack))
        warn_of_faces_that_cannot_disarm(context)
        stack.enter_context(serve_control(commands.handlers(), state_dir, location.named))
        _serve_page(context, alerts, cameras, commands, stack, settings)
        stack.enter_context(LeanLibraries())
        daemon = Daemon(cameras, alerts.dispatcher, context.store, commands, context, alerts.once)
        for front in in_use:
            stack.enter_context(front.opened(daemon))
        yield daemon


def _drill(context: DaemonContext, camera: str) -> Drill:
    """Return the drill of ``camera``."""
    save = partial(save_report, state_dir=context.location.path)
    injector = VisitorInjector(partial(context.drill_stranger, camera))
    return Drill(save, injector, camera=camera, on_change=context.changes.bumper(Topic.DRILL))


def _serve_page(
    context: DaemonContext,
    alerts: AlertStack,
    cameras: Sequence[WatchedCamera],
    commands: Commands,
    stack: ExitStack,
    settings: SettingsAccess | None,
) -> None:
    """Answer the page's socket until ``stack`` ends."""
    sign_in = SignIn(context.store, context.config.web.signed_in_days)
    spare = SpareModels(partial(ModelStack.load, context.config, context.state_dir))
    stack.callback(spare.close)
    parts = WebParts(
        context.config,
        context.state_dir,
        context.store,
        alerts.policy,
        alerts.dispatcher,
        cameras,
        commands,
        spare.lend,
        context.changes,
        sign_in.any_account,
        sign_in,
        settings=settings,
        look_outside=outside_changes(context.store, context.changes).look,
    )
    stack.enter_context(build_page(parts, sign_in.sessions))
    stack.callback(context.changes.close)


def check(config: FacesecureConfig, state_dir: Path) -> None:
    """Raise what ``assembled`` would raise for ``config``, as far as can be checked without starting anything."""
    open_sources(config)
    ModelStack.load(config, state_dir)


def run(
    config: FacesecureConfig,
    state_dir: Path,
    *,
    exit_at_end: bool = False,
    onlooker: Onlooker | None = None,
    on_ready: Callable[[Daemon], None] | None = None,
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    reread: ReloadConfig | None = None,
    config_file: Path | None = None,
    fronts: Sequence[MakeFront] = (),
) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; with ``exit_at_end`` until a recording ends.

    ``reread`` reads the configuration again at SIGHUP, or after a change of it, or of what the page has set beside
    ``config_file``. ``on_ready`` is called with each daemon before its first frame. ``fronts``: see ``assembled``.
    If ``state_dir`` has become read-only, a copy in memory takes its place. Ctrl-C raises KeyboardInterrupt after
    everything has been stopped. Raises StoreError if another daemon uses ``state_dir``, and as ``assembled`` does.
    """

    def serve(config: FacesecureConfig, supervisor: Supervisor) -> None:
        with (
            assembled(
                config, location.path, extra_plugins, location, settings_of(supervisor), movements, fronts
            ) as daemon,
            Reporter(lambda: supervisor.with_complaint(daemon.commands.public_line())),
            supervisor.watched(daemon.captures) as streams,
        ):
            life.begun()
            if on_ready:
                on_ready(daemon)
            daemon.watch(streams, onlooker)
            if not exit_at_end and not supervisor.ending:
                _log.info("the source has ended; waiting to be stopped (Ctrl-C, or start with --exit-at-end)")
                supervisor.wait()

    def settings_of(supervisor: Supervisor) -> SettingsAccess | None:
        if reread is None:
            return None
        return SettingsAccess(Place(config_file, location.named), supervisor.apply, lambda: supervisor.applying)

    movements: dict[str, Movements] = {}
    with instance_lock(state_dir), writable_state(state_dir) as location:
        if reread is not None and take_back_untried(Place(config_file, location.named)):
            config = reread()
        record = partial(audit.record, location.path, actor=DAEMON)
        with AuditedRun(record) as life:
            Supervisor(serve, reread, record).run(config)


@contextmanager
def drill_daemon(
    config: FacesecureConfig, state_dir: Path, camera: str | None = None
) -> Iterator[Callable[[], DrillReport | None]]:
    """Run a drill in a daemon of its own, where none is running. Yields a function that returns the report so far.

    ``camera`` is the name of the one that shows the stranger, by default the first. The function raises the exception
    that ended the cameras, if one did. Raises as ``run`` does.
    """
    errors: list[Exception] = []

    def watch(daemon: Daemon) -> None:
        try:
            daemon.watch()
        except Exception as error:  # noqa: BLE001 - raised again by report()
            errors.append(error)

    def report() -> DrillReport | None:
        if errors:
            raise errors[0]
        return drill.report()

    with instance_lock(state_dir), assembled(config, state_dir) as daemon:
        drill = DrillCommands([watched.drill for watched in daemon.cameras]).of(camera)
        drill.begin()
        audit.record(state_dir, "drill-begun", drill.camera)
        thread = threading.Thread(target=watch, args=(daemon,), name="watching", daemon=True)
        thread.start()
        try:
            yield report
        finally:
            for frames, _ in daemon.captures:
                frames.stop()
            thread.join(_JOIN_SECONDS)
