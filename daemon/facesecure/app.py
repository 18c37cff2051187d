"""The only wiring: configuration in, a running daemon out, torn down in the reverse order by one ExitStack."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facesecure.alerts.dispatcher import Dispatcher
from facesecure.alerts.plugin import PluginContext, Speech
from facesecure.alerts.registry import Registry
from facesecure.alerts.unspoken import Unspoken
from facesecure.arming import Arming, Mode
from facesecure.cadence import Cadence
from facesecure.chronicle import Chronicle
from facesecure.config import FacesecureConfig
from facesecure.control.commands import Commands
from facesecure.control.server import answering
from facesecure.domain import Alert, Frame
from facesecure.drill.asking import handlers
from facesecure.drill.drill import Drill
from facesecure.drill.report import DrillReport, keep
from facesecure.health import CameraEvent, CameraHealth, HealthMonitor
from facesecure.motion import MotionGate
from facesecure.perception import Vision
from facesecure.pipeline import Onlooker, Pipeline
from facesecure.policy import Policy
from facesecure.policy.memory import Memory
from facesecure.policy.rules import warn_of_unknown
from facesecure.policy.ticker import Ticker
from facesecure.presence import Presence
from facesecure.recognize.judge import Judge
from facesecure.recognize.visitors import VisitorChooser
from facesecure.service.alone import alone
from facesecure.service.housekeeping import Housekeeper
from facesecure.service.life import Reread, Service
from facesecure.service.memory import map_large_buffers, share_heaps
from facesecure.service.refuge import Place, usable
from facesecure.sources import open_source
from facesecure.sources.capture import LatestFrame
from facesecure.sources.opening import is_camera
from facesecure.speech.household import phrases_of
from facesecure.speech.repertoire import Repertoire
from facesecure.speech.studio import Studio
from facesecure.stages import AlertPlugin
from facesecure.store.store import Store
from facesecure.supervise import Reporter
from facesecure.tracking import Tracker
from facesecure.witness import Witness

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Daemon:
    """Everything wired and started; ``frames`` has not been read yet."""

    pipeline: Pipeline
    frames: LatestFrame
    dispatcher: Dispatcher
    store: Store
    monitor: HealthMonitor
    drill: Drill
    commands: Commands

    def watch(self, frames: Iterator[Frame], onlooker: Onlooker | None = None) -> None:
        """Follow ``frames`` of the camera to their end."""
        self.pipeline.run(self.drill.among(self.monitor.watching(frames)), onlooker)


@contextmanager
def assembled(
    config: FacesecureConfig,
    state_dir: Path,
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    place: Place | None = None,
) -> Iterator[Daemon]:
    """Build the daemon that ``config`` describes, and take it down again in the reverse order.

    ``extra_plugins`` get every alert beside those that the configuration enables. ``place``: what ``state_dir`` stands
    in for, where it is a refuge.
    Raises ModelError, StoreError or SourceError before anything has been started that would need stopping.
    """
    place = place or Place(state_dir, state_dir)
    map_large_buffers()
    share_heaps()
    with ExitStack() as stack:
        source = open_source(config.camera.source, config.camera)
        vision = Vision.load(config, state_dir)
        store = stack.enter_context(
            Store.open(state_dir, keep_snapshots=config.store.snapshots, keep_faces=config.store.faces, resident=True)
        )
        arming = Arming(state_dir, Mode(config.policy.mode))
        choose = VisitorChooser(vision.scores).choose
        store.visitors.group_left_over(choose)
        stack.enter_context(Housekeeper(store, place.limits(config.store), newest=store.last_seen))
        studio = stack.enter_context(Studio(config.speech, state_dir))
        registry = Registry.load(
            config.plugins, context=lent(config, state_dir, studio, lambda *told: dispatcher.progress(*told))
        )
        plugins = {**registry.enabled(), **(extra_plugins or {})}
        names = partial(vision.names, store)
        warn_of_unknown(config.policy, names())
        policy = Policy(
            phrases_of(config),
            config.policy,
            armed=lambda: arming.armed,
            in_use=plugins,
            fallback=config.alerts.fallback,
            choose=choose,
            memory=Memory(state_dir, store) if source.live else None,  # a film's visitors may come again at once
        )
        drill = Drill(partial(keep, state_dir=state_dir))

        def befell(event: str, why: str = "") -> None:
            for alert in policy.decide_service(event, why=why):
                dispatcher.send(alert)

        def step(alert: Alert, channel: str, what: str) -> None:
            drill.step(alert, channel, what)
            unspoken.step(alert, channel, what)

        unspoken = Unspoken(config.policy.aloud, partial(befell, "undelivered"))
        dispatcher = Dispatcher(plugins, outbox=store.outbox, fallback=config.alerts.fallback, on_step=step)
        stack.enter_context(dispatcher)
        stack.enter_context(Ticker(policy, dispatcher))
        for event, why in _troubles(store, place):
            befell(event, why)
        if not plugins.keys().isdisjoint(config.policy.aloud):  # else no name leaves the house for a voice
            stack.enter_context(Repertoire(studio, lambda: policy.sentences(names()), store.people_revision))
        tracker = Tracker(Judge(config.verdict, vision.standards(config, store, state_dir)))
        pipeline = Pipeline(
            cadence=Cadence(
                MotionGate(config.motion), interval=config.detector.interval, following=lambda: tracker.busy
            ),
            detector=vision.detector,
            tracker=tracker,
            quality=vision.watching,
            recognizer=vision.recognizer(store),
            witness=Witness(config.camera.name, Presence(config.verdict.presence)),
            chronicle=Chronicle(
                store,
                lambda stranger: store.visitors.group(stranger, choose),
                on_full=partial(befell, "disk_full"),
            ),
            policy=policy,
            alerts=dispatcher,
            rehearsal=drill,
        )
        frames = stack.enter_context(LatestFrame(source))

        def tell(event: CameraEvent) -> None:
            for alert in policy.decide_camera(event.word, why=event.why):
                dispatcher.send(alert)

        health = CameraHealth(config.health, tell) if is_camera(config.camera.source) else None
        monitor = stack.enter_context(HealthMonitor(health, frames))
        commands = Commands(
            config.camera.name, arming, policy, store, monitor, dispatcher, names=names, complaint=place.complaint
        )
        stack.enter_context(answering({**commands.handlers(), **handlers(drill)}, state_dir, place.named))
        yield Daemon(pipeline, frames, dispatcher, store, monitor, drill, commands)


def _troubles(store: Store, place: Place) -> Iterator[tuple[str, str]]:
    """What befell the state before this start: events of the service, and why, for reading."""
    if store.restored:
        yield "restored", ""
    if freed := store.freed + place.freed:
        yield "disk_full", f"{freed / 1e6:.0f} MB of old snapshots and backups were let go"
    if place.complaint:
        yield "unwritable", place.complaint


def lent(
    config: FacesecureConfig, state_dir: Path, speech: Speech, progress: Callable[[Alert, str], None]
) -> PluginContext:
    """What plugins are lent; ``progress`` hears how far they have come."""
    return PluginContext(state_dir, config.camera.name, config.speech.language, speech, progress)


def check(config: FacesecureConfig, state_dir: Path) -> None:
    """Raise what ``assembled`` would raise for ``config``, as far as that can be told without starting anything."""
    open_source(config.camera.source, config.camera)
    Vision.load(config, state_dir)


def run(
    config: FacesecureConfig,
    state_dir: Path,
    *,
    exit_at_end: bool = False,
    onlooker: Onlooker | None = None,
    on_ready: Callable[[Daemon], None] | None = None,
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    reread: Reread | None = None,
) -> None:
    """Watch until SIGTERM or Ctrl-C, or with ``exit_at_end`` until the source ends (cameras do not).

    At SIGHUP the configuration is read again by ``reread``. Ctrl-C raises KeyboardInterrupt, after everything was said,
    written and closed. Where ``state_dir`` cannot be written any more, a copy in memory takes its place.
    Raises StoreError where another daemon has ``state_dir``.
    """

    def serve(config: FacesecureConfig, service: Service) -> None:
        with (
            assembled(config, place.path, extra_plugins, place) as daemon,
            Reporter(lambda: service.complaining(daemon.commands.status({})["line"])),
            service.watched(daemon.frames, config.camera.timeout) as frames,
        ):
            if on_ready:
                on_ready(daemon)
            daemon.watch(frames, onlooker)
            if not exit_at_end and not service.ending:
                _log.info("the source has ended; waiting to be stopped (Ctrl-C, or start with --exit-at-end)")
                service.wait()

    with alone(state_dir), usable(state_dir) as place:
        Service(serve, reread).run(config)


@contextmanager
def rehearsed(config: FacesecureConfig, state_dir: Path) -> Iterator[Callable[[], DrillReport | None]]:
    """A daemon of its own for a drill, where none is running. Yields how far the drill has come.

    Asking raises what ended the camera, if something did. Raises as ``run`` does.
    """
    errors: list[Exception] = []

    def watch(daemon: Daemon) -> None:
        try:
            daemon.watch(iter(daemon.frames))
        except Exception as error:  # noqa: BLE001 - it is raised where the drill is asked for
            errors.append(error)

    def report() -> DrillReport | None:
        if errors:
            raise errors[0]
        return daemon.drill.report()

    with alone(state_dir), assembled(config, state_dir) as daemon:
        daemon.drill.begin()
        thread = threading.Thread(target=watch, args=(daemon,), name="watching", daemon=True)
        thread.start()
        try:
            yield report
        finally:
            daemon.frames.stop()
            thread.join(5.0)
