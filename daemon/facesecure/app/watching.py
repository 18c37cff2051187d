"""Watch the cameras: each has a pipeline, a capture thread and a drill of its own, and shares everything else.

One camera is processed on the calling thread. Several are processed on a thread each: what holds one of them up, loses
it or ends it leaves the others as they are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from facesecure.alerts.build import AlertStack
from facesecure.app.change_hooks import VisitChanges, trouble_changes
from facesecure.app.context import DaemonContext
from facesecure.app.face_disarm import FaceDisarm
from facesecure.app.strangers_noted import StrangersNoted
from facesecure.app.visit_events import VisitEvents
from facesecure.camera.build import Camera, build_camera
from facesecure.camera.clips.build import build_recorder, build_ring
from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.main_stream import MainStream
from facesecure.camera.sources import open_source
from facesecure.camera.sources.attention import Attention
from facesecure.camera.sources.factory import OpenedSource
from facesecure.camera.sources.idle_decoding import IdleDecoding
from facesecure.camera.sources.tap import NO_TAP
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.domain.deliveries import MQTT
from facesecure.domain.errors import SourceError
from facesecure.pipeline.build import build_pipeline
from facesecure.pipeline.latest_view import LatestView
from facesecure.pipeline.movements import Movements
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.pipeline import Onlooker, Pipeline
from facesecure.pipeline.tracker import Track
from facesecure.pipeline.visit_films import VisitFilms
from facesecure.recognition.liveness.visit import VisitCues
from facesecure.services.drill.drill import Drill
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.redaction import redact
from facesecure.vision.detection.motion import MotionGate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchedCamera:
    """One camera: its capture and health, the pipeline of its frames, and its drill.

    ``config`` is the household's, with this camera as its ``camera``. Example::

        watched.watch(iter(watched.camera.frames))
    """

    config: FacesecureConfig
    camera: Camera
    pipeline: Pipeline
    drill: Drill
    main: MainStream | None = None
    """The camera's main stream, where faces are searched in a sub-stream."""
    view: LatestView = field(default_factory=LatestView)
    """What the camera shows now, for people who look."""
    movements: Movements = field(default_factory=Movements)
    """Where it moved in the last hour."""

    @property
    def name(self) -> str:
        """The camera's name."""
        return self.config.camera.name

    def watch(self, frames: Iterator[Frame], onlooker: Onlooker | None = None) -> None:
        """Process ``frames`` of the camera to their end; ``onlooker`` receives each with its tracks."""
        _log.info("watching the %s: %s", self.name, redact(self.config.camera.source))
        try:
            self.pipeline.run(self.drill.inject(self.camera.monitor.watching(frames)), partial(self._show, onlooker))
        finally:
            self.drill.camera_ended()

    def _show(self, onlooker: Onlooker | None, frame: Frame, tracks: Sequence[Track]) -> None:
        self.view.look(frame, tracks)
        self.movements.note(time.monotonic() if self.camera.frames.live else frame.taken_at)
        if onlooker:
            onlooker(frame, tracks)


@dataclass(frozen=True, slots=True)
class CameraSources:
    """The source whose frames are processed, and the camera's main stream where that is another one."""

    frames: OpenedSource
    main: OpenedSource | None = None
    attention: Attention = field(default_factory=Attention)
    """By which the pipeline tells both whether it needs every frame."""
    ring: PacketRing | None = None
    """The latest packets of the camera's best stream, where films are kept."""


def open_sources(config: FacesecureConfig) -> list[CameraSources]:
    """Return the sources of each camera; nothing is connected yet.

    Beside others, a local camera that is not plugged in is waited for. Raises SourceError for an address that cannot
    work.
    """
    cameras = config.each_camera()
    return [_sources(one, build_ring(one), Attention(), patient=len(cameras) > 1) for one in cameras]


def _sources(
    config: FacesecureConfig, ring: PacketRing | None, attention: Attention, *, patient: bool
) -> CameraSources:
    camera, idle = config.camera, IdleDecoding(attention, lambda: MotionGate(config.motion, config.camera.zones))
    main = open_source(camera.source, camera, patient=patient, tap=ring or NO_TAP, idle=idle)
    return (
        CameraSources(open_source(camera.detect, camera, patient=patient, idle=idle), main, attention, ring)
        if camera.detect
        else CameraSources(main, attention=attention, ring=ring)
    )


def start_cameras(
    context: DaemonContext,
    sources: Sequence[CameraSources],
    drills: Sequence[Drill],
    alerts: AlertStack,
    stack: ExitStack,
    movements: dict[str, Movements] | None = None,
    recognised: Callable[[str], object] | None = None,
) -> tuple[WatchedCamera, ...]:
    """Start capturing ``sources``, one for each camera of the configuration with its drill; ``stack`` stops them.

    ``movements``, by camera, are gone on with, and those of other cameras put there. ``recognised`` is called with the
    name of somebody whose face may disarm and was seen.
    """
    bell, kept = threading.Condition(), {} if movements is None else movements
    return tuple(
        _start(
            context, config, source, drill, alerts, LatestView(bell), kept.setdefault(config.camera.name, Movements()),
            stack, recognised,
        )
        for config, source, drill in zip(context.config.each_camera(), sources, drills, strict=True)
    )  # fmt: skip


def _start(
    context: DaemonContext,
    config: FacesecureConfig,
    sources: CameraSources,
    drill: Drill,
    alerts: AlertStack,
    view: LatestView,
    movements: Movements,
    stack: ExitStack,
    recognised: Callable[[str], object] | None,
) -> WatchedCamera:
    main = stack.enter_context(MainStream(sources.main)) if sources.main else None
    inner: PipelineObserver = VisitEvents(drill, MQTT) if config.mqtt.enabled else drill
    followed = VisitChanges(_noting(config, inner, alerts), context.changes)
    filmed = _filming(context, config, sources.ring, followed, lambda: pipeline.sampler.moving, stack)
    observer = _disarming(config, filmed, alerts, lambda number: pipeline.liveness.cues(number), recognised)
    pipeline = build_pipeline(
        config,
        context.pool,
        context.rule,
        context.store,
        context.group,
        alerts,
        observer,
        main.near if main else None,
        scores=context.models.scores,
        documents=SignedDocuments(context.state_dir),
        attention=sources.attention,
    )
    on_event = trouble_changes(partial(alerts.system.of_camera, camera=config.camera.name), context.changes)
    reopen = partial(_reopened, config, sources) if context.several else None
    camera = build_camera(config, sources.frames, on_event, stack, reopen)
    drill.follow_camera(lambda: camera.frames.trouble)
    sources.attention.also(lambda: drill.showing)
    sources.attention.also(lambda: view.watched)
    movements.follow(lambda: pipeline.sampler.changes)
    return WatchedCamera(config, camera, pipeline, drill, main, view, movements)


def _reopened(config: FacesecureConfig, sources: CameraSources) -> OpenedSource:
    return _sources(config, sources.ring, sources.attention, patient=True).frames


def _disarming(
    config: FacesecureConfig,
    inner: PipelineObserver,
    alerts: AlertStack,
    cues: Callable[[int], VisitCues],
    recognised: Callable[[str], object] | None,
) -> PipelineObserver:
    """Return what follows the frames of a camera: ``inner``, and the disarming by faces where it is wanted."""
    if recognised is None or not config.policy.known_disarms:
        return inner
    return FaceDisarm(inner, config.policy, lambda: alerts.policy.mode, lambda: alerts.visitors.entry, cues, recognised)


def _noting(config: FacesecureConfig, inner: PipelineObserver, alerts: AlertStack) -> PipelineObserver:
    """Return ``inner``; where there are other doors, what notes what strangers look like as well."""
    return StrangersNoted(inner, alerts.once.note) if config.hub.enabled else inner


def _filming(
    context: DaemonContext,
    config: FacesecureConfig,
    ring: PacketRing | None,
    inner: PipelineObserver,
    moving: Callable[[], bool],
    stack: ExitStack,
) -> PipelineObserver:
    """Return what follows the frames of a camera: ``inner``, and the recorder of its films where they are kept."""
    if ring is None:
        return inner
    if context.location.complaint:  # in memory there is no space for films
        ring.disable()
        return inner
    begin = partial(context.store.clips.begin, most_mb=config.clips.max_mb)
    recorder = stack.enter_context(build_recorder(config, ring, begin))
    return VisitFilms(inner, recorder, moving, min_movement=config.verdict.presence)


def watch_all(
    cameras: Sequence[WatchedCamera], streams: Sequence[Iterator[Frame]], onlooker: Onlooker | None = None
) -> None:
    """Process the frames of each camera, ``streams``, until all have ended. ``onlooker`` sees those of the first.

    A camera among others that cannot be read any more is logged, and the others go on; the error is raised only if
    none of them could be read. Any other exception stops all cameras and is raised.
    """
    if len(cameras) == 1:
        cameras[0].watch(streams[0], onlooker)
        return
    onlookers = [onlooker, *[None] * (len(cameras) - 1)]
    _Threads(cameras).run(
        [partial(camera.watch, *how) for camera, how in zip(cameras, zip(streams, onlookers, strict=True), strict=True)]
    )


class _Threads:
    """A thread for each camera, and the errors that ended them."""

    def __init__(self, cameras: Sequence[WatchedCamera]) -> None:
        self._cameras = cameras
        self._unreadable: list[SourceError] = []
        self._error: BaseException | None = None

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run ``tasks``, one for each camera, to their end. Raises as ``watch_all`` does."""
        threads = [
            threading.Thread(target=self._one, args=(camera, task), name=f"watching {camera.name}", daemon=True)
            for camera, task in zip(self._cameras, tasks, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._error is not None:
            raise self._error
        if len(self._unreadable) == len(threads):
            raise self._unreadable[0]

    def _one(self, camera: WatchedCamera, task: Callable[[], None]) -> None:
        try:
            task()
        except SourceError as error:
            self._unreadable.append(error)
            _log.error("the %s cannot be read: %s", camera.name, error.message)
        except BaseException as error:  # noqa: BLE001 - raised again by run()
            self._error = self._error or error
            for other in self._cameras:
                other.camera.frames.stop()
