"""The only wiring: configuration in, a running daemon out, torn down in the reverse order by one ExitStack."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facesecure.alerts.delivery.dispatcher import Dispatcher, ProgressFanOut
from facesecure.alerts.delivery.speech_deadline import MissedAnnouncementAlert
from facesecure.alerts.plugins.api import PluginContext, Speech
from facesecure.alerts.plugins.registry import Registry
from facesecure.alerts.policy.arming import Arming, Mode
from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.rules import warn_of_unknown
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.timer import PolicyTimer, SystemAlerts
from facesecure.alerts.speech.announcements import phrases_of
from facesecure.alerts.speech.prerender import SpeechPrerenderer
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.app.context import DaemonContext
from facesecure.app.control.commands import Commands, handlers
from facesecure.app.control.server import answering
from facesecure.app.housekeeping import RetentionTask
from facesecure.app.instance_lock import instance_lock
from facesecure.app.lifecycle import ReloadConfig, Supervisor
from facesecure.app.process_memory import map_large_buffers, share_heaps
from facesecure.app.ram_fallback import StateLocation, writable_state
from facesecure.app.systemd import Reporter
from facesecure.camera.capture import LatestFrame
from facesecure.camera.health import CameraHealth, HealthMonitor
from facesecure.camera.sources import open_source
from facesecure.camera.sources.factory import is_camera
from facesecure.config import FacesecureConfig
from facesecure.domain import Alert, Frame
from facesecure.domain.interfaces import AlertPlugin
from facesecure.pipeline.frame_sampler import FrameSampler
from facesecure.pipeline.pipeline import Onlooker, Pipeline
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.visitor_matching import VisitorMatcher
from facesecure.services.drill.drill import Drill
from facesecure.services.drill.report import DrillReport, keep
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store
from facesecure.vision.detection.motion import MotionGate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertStack:
    """What becomes of whatever was seen: who is told (``policy``), and how it reaches them (``dispatcher``).

    ``news`` is told too, of the camera and of ourselves; ``drill`` follows a made-up alarm all the way.
    """

    policy: Policy
    dispatcher: Dispatcher
    news: SystemAlerts
    drill: Drill


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
        self.pipeline.run(self.drill.inject(self.monitor.watching(frames)), onlooker)


@contextmanager
def assembled(
    config: FacesecureConfig,
    state_dir: Path,
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    place: StateLocation | None = None,
) -> Iterator[Daemon]:
    """Build the daemon that ``config`` describes, and take it down again in the reverse order.

    ``extra_plugins`` get every alert beside those that the configuration enables. ``place``: what ``state_dir`` stands
    in for, where it is a refuge.
    Raises ModelError, StoreError or SourceError before anything has been started that would need stopping.
    """
    place = place or StateLocation(state_dir, state_dir)
    map_large_buffers()
    share_heaps()
    with ExitStack() as stack:
        source = open_source(config.camera.source, config.camera)
        home = _home(config, place, stack)
        telling = _telling(home, extra_plugins or {}, stack, live=source.live)
        pipeline = _pipeline(home, telling)
        frames = stack.enter_context(LatestFrame(source))
        health = CameraHealth(config.health, telling.news.of_camera) if is_camera(config.camera.source) else None
        monitor = stack.enter_context(HealthMonitor(health, frames))
        commands = _commands(home, telling, monitor)
        answers = {**commands.handlers(), **handlers(telling.drill)}
        stack.enter_context(answering(answers, state_dir, place.named))
        yield Daemon(pipeline, frames, telling.dispatcher, home.store, monitor, telling.drill, commands)


def _home(config: FacesecureConfig, place: StateLocation, stack: ExitStack) -> DaemonContext:
    """What is remembered, opened, and kept tidy from now on."""
    vision, wanted = ModelStack.load(config, place.path), config.store
    store = Store.open(place.path, keep_snapshots=wanted.snapshots, keep_faces=wanted.faces, resident=True)
    stack.enter_context(store)
    arming, choose = Arming(place.path, Mode(config.policy.mode)), VisitorMatcher(vision.scores).match
    store.visitors.group_left_over(choose)
    stack.enter_context(RetentionTask(store, place.limits(wanted), newest=store.last_seen))
    return DaemonContext(config, place, store, arming, vision, choose)


def _telling(
    home: DaemonContext, extra_plugins: Mapping[str, AlertPlugin], stack: ExitStack, *, live: bool
) -> AlertStack:
    """The plugins and all that leads to them, at work; what befell the state is the first they hear of."""
    config, store = home.config, home.store
    studio = stack.enter_context(SpeechService(config.speech, home.place.path))
    plugins = {**_plugins(home, studio, lambda *told: dispatcher.progress(*told)), **extra_plugins}
    policy = _policy(home, plugins, live=live)
    steps = ProgressFanOut()
    dispatcher = Dispatcher(plugins, outbox=store.outbox, fallback=config.alerts.fallback, on_step=steps)
    news = SystemAlerts(policy, dispatcher)
    drill = Drill(partial(keep, state_dir=home.place.path))
    steps.follow(drill.step)
    steps.follow(MissedAnnouncementAlert(config.policy.aloud, partial(news.of_service, "undelivered")).step)
    stack.enter_context(dispatcher)
    stack.enter_context(PolicyTimer(policy, dispatcher))
    for event, why in home.troubles():
        news.of_service(event, why)
    if not plugins.keys().isdisjoint(config.policy.aloud):  # else no name leaves the house for a voice
        stack.enter_context(SpeechPrerenderer(studio, lambda: policy.sentences(home.names()), store.people_revision))
    return AlertStack(policy, dispatcher, news, drill)


def _plugins(home: DaemonContext, speech: Speech, progress: Callable[[Alert, str], None]) -> Mapping[str, AlertPlugin]:
    """Those that the configuration enables; ``progress`` hears how far they have come."""
    config = home.config
    context = PluginContext(home.place.path, config.camera.name, config.speech.language, speech, progress)
    return Registry.load(config.plugins, context=context).enabled()


def _policy(home: DaemonContext, plugins: Collection[str], *, live: bool) -> Policy:
    config = home.config
    warn_of_unknown(config.policy, home.names())
    return Policy(
        phrases_of(config),
        config.policy,
        armed=lambda: home.arming.armed,
        in_use=plugins,
        fallback=config.alerts.fallback,
        choose=home.match_visitor,
        memory=PolicyStateFile(home.place.path, home.store)
        if live
        else None,  # a film's visitors may come again at once
    )


def _pipeline(home: DaemonContext, telling: AlertStack) -> Pipeline:
    config, vision, store = home.config, home.models, home.store
    tracker = Tracker(VerdictRule(config.verdict, vision.standards(config, store, home.place.path)))
    gate = MotionGate(config.motion)
    return Pipeline(
        sampler=FrameSampler(gate, interval=config.detector.interval, following=lambda: tracker.busy),
        detector=vision.detector,
        tracker=tracker,
        quality=vision.recognition_floors,
        recognizer=vision.recognizer(store),
        builder=SightingBuilder(config.camera.name, PresenceDetector(config.verdict.presence)),
        recorder=SightingRecorder(store, home.group, on_full=partial(telling.news.of_service, "disk_full")),
        policy=telling.policy,
        alerts=telling.dispatcher,
        observer=telling.drill,
    )


def _commands(home: DaemonContext, telling: AlertStack, camera: HealthMonitor) -> Commands:
    name, complaint = home.config.camera.name, home.place.complaint
    policy, channels = telling.policy, telling.dispatcher
    return Commands(name, home.arming, policy, home.store, camera, channels, home.names, complaint)


def check(config: FacesecureConfig, state_dir: Path) -> None:
    """Raise what ``assembled`` would raise for ``config``, as far as that can be told without starting anything."""
    open_source(config.camera.source, config.camera)
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
) -> None:
    """Watch until SIGTERM or Ctrl-C, or with ``exit_at_end`` until the source ends (cameras do not).

    At SIGHUP the configuration is read again by ``reread``. Ctrl-C raises KeyboardInterrupt, after everything was said,
    written and closed. Where ``state_dir`` cannot be written any more, a copy in memory takes its place.
    Raises StoreError where another daemon has ``state_dir``.
    """

    def serve(config: FacesecureConfig, service: Supervisor) -> None:
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

    with instance_lock(state_dir), writable_state(state_dir) as place:
        Supervisor(serve, reread).run(config)


@contextmanager
def drill_daemon(config: FacesecureConfig, state_dir: Path) -> Iterator[Callable[[], DrillReport | None]]:
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

    with instance_lock(state_dir), assembled(config, state_dir) as daemon:
        daemon.drill.begin()
        thread = threading.Thread(target=watch, args=(daemon,), name="watching", daemon=True)
        thread.start()
        try:
            yield report
        finally:
            daemon.frames.stop()
            thread.join(5.0)
