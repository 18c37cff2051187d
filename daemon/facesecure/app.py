"""The only wiring: configuration in, a running daemon out, torn down in the reverse order by one ExitStack."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from facesecure.alerts.dispatcher import Dispatcher
from facesecure.alerts.plugin import PluginContext, Speech
from facesecure.alerts.registry import Registry
from facesecure.alone import alone
from facesecure.arming import Arming, Mode
from facesecure.cadence import Cadence
from facesecure.chronicle import Chronicle
from facesecure.config import FacesecureConfig, QualityConfig, VerdictConfig
from facesecure.control.commands import Commands
from facesecure.control.server import answering
from facesecure.detect import USABLE_CONFIDENCE, build_detector
from facesecure.domain import Alert, Embedding
from facesecure.enrolment import Enrolment
from facesecure.health import CameraEvent, CameraHealth, HealthMonitor
from facesecure.housekeeping import Housekeeper
from facesecure.identification import Identifier
from facesecure.memory import map_large_buffers
from facesecure.motion import MotionGate
from facesecure.pipeline import Onlooker, Pipeline
from facesecure.policy import Policy
from facesecure.policy.memory import Memory
from facesecure.policy.ticker import Ticker
from facesecure.presence import Presence
from facesecure.recognize.embedder import ModelEmbedder
from facesecure.recognize.embedding import EmbeddingRecognizer
from facesecure.recognize.gallery import Gallery, LiveGallery
from facesecure.recognize.judge import Judge
from facesecure.recognize.kinship import Others
from facesecure.recognize.score_model import ScoreModel
from facesecure.recognize.standards import LiveStandards
from facesecure.recognize.stranger_model import Strangers, strangers_of
from facesecure.recognize.visitors import VisitorChooser
from facesecure.renewal import renew
from facesecure.service import Reread, Service
from facesecure.sources import open_source
from facesecure.sources.capture import LatestFrame
from facesecure.sources.opening import is_camera
from facesecure.speech.household import phrases_of
from facesecure.speech.repertoire import Repertoire
from facesecure.speech.studio import Studio
from facesecure.stages import AlertPlugin, Detector
from facesecure.standing import standing
from facesecure.store.names import name_key
from facesecure.store.records import Template
from facesecure.store.store import Store
from facesecure.supervise import Reporter
from facesecure.tracking import Tracker
from facesecure.vision.model_card import load_model
from facesecure.vision.personhood import Doubts, doubts_for
from facesecure.vision.quality import ENROLMENT
from facesecure.witness import Witness

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Vision:
    """The models, loaded and checked: what ``run``, ``enroll`` and ``identify`` all need."""

    detector: Detector
    embedder: ModelEmbedder
    scores: ScoreModel
    strangers: Strangers
    watching: QualityConfig
    """What a face must be worth to be recognised."""
    enrolling: QualityConfig
    """What it must be worth to be enrolled."""
    doubts: Doubts
    """Whether it is a person's at all."""

    @classmethod
    def load(cls, config: FacesecureConfig, state_dir: Path) -> Vision:
        """Load what ``config`` names. Raises ModelError."""
        model = load_model(config.recognizer.model, state_dir)
        detector = build_detector(config.detector, models_dir=state_dir / "models")
        cv2.setNumThreads(1)  # a Pi's other cores are better used by capture and decoding
        sure = config.quality.min_confidence
        sure = USABLE_CONFIDENCE[config.detector.kind] if sure is None else sure
        watching, enrolling = (
            floors.model_copy(update={"min_confidence": sure}) for floors in (config.quality, ENROLMENT)
        )
        scores, strangers = ScoreModel.from_card(model.card), strangers_of(model)
        doubts = doubts_for(model.card)
        return cls(detector, ModelEmbedder(model), scores, strangers, watching, enrolling, doubts)

    def recognizer(self, store: Store) -> EmbeddingRecognizer:
        """A recogniser that knows everybody in ``store``, and within a second whoever is added."""
        load = partial(self.templates, store)
        gallery = LiveGallery(load, store.people_revision, self.embedder.sha256, decoys=store.decoys)
        return EmbeddingRecognizer(self.embedder, gallery, self.doubts)

    def templates(self, store: Store) -> list[Template]:
        """Everybody's templates, after those that another model made were made again."""
        renew(store, self.embedder)
        return store.templates()

    def standards(self, config: FacesecureConfig, store: Store, state_dir: Path) -> LiveStandards:
        """What to demand of whom: as calibrated, or else the safe default."""
        return LiveStandards(
            store.templates,
            store.people_revision,
            self.embedder.sha256,
            self.strangers,
            self.scores,
            state_dir,
            config.verdict.false_accept,
        )

    def identifier(self, config: FacesecureConfig, store: Store, state_dir: Path) -> Identifier:
        """For single pictures, where one face has to do."""
        single = VerdictConfig.model_validate({**config.verdict.model_dump(), "min_faces": 1})
        judge = Judge(single, self.standards(config, store, state_dir))
        return Identifier(self.detector, self.recognizer(store), judge, self.watching)

    def enrolment(self, known: Sequence[Embedding] = (), others: Others | None = None) -> Enrolment:
        """To collect pictures of one person, whose faces enrolled so far are ``known``, beside ``others``."""
        return Enrolment(self.detector, self.embedder, self.embedder.sha256, known, self.enrolling, self.doubts, others)

    def enrolment_of(self, store: Store, name: str) -> Enrolment:
        """To collect pictures of ``name``, new to ``store`` or not, beside everybody else who is enrolled there."""
        templates = [one for one in self.templates(store) if one.model_sha256 == self.embedder.sha256]
        others = Gallery(one for one in templates if name_key(one.name) != name_key(name))
        enrolled = name_key(name) in {name_key(person.name) for person in store.people()}
        faces = store.faces_of(name) if enrolled else []
        known = [face.embedding for face in faces if face.model_sha256 == self.embedder.sha256]
        return self.enrolment(known, Others(others, self.scores))


@dataclass(frozen=True, slots=True)
class Daemon:
    """Everything wired and started; ``frames`` has not been read yet."""

    pipeline: Pipeline
    frames: LatestFrame
    dispatcher: Dispatcher
    store: Store
    monitor: HealthMonitor


@contextmanager
def assembled(
    config: FacesecureConfig, state_dir: Path, extra_plugins: Mapping[str, AlertPlugin] | None = None
) -> Iterator[Daemon]:
    """Build the daemon that ``config`` describes, and take it down again in the reverse order.

    ``extra_plugins`` get every alert beside those that the configuration enables.
    Raises ModelError, StoreError or SourceError before anything has been started that would need stopping.
    """
    map_large_buffers()
    with ExitStack() as stack:
        source = open_source(config.camera.source, config.camera)
        vision = Vision.load(config, state_dir)
        store = stack.enter_context(
            Store.open(state_dir, keep_snapshots=config.store.snapshots, keep_faces=config.store.faces, resident=True)
        )
        arming = Arming(state_dir, Mode(config.policy.mode))
        choose = VisitorChooser(vision.scores).choose
        store.visitors.group_left_over(choose)
        stack.enter_context(Housekeeper(store, config.store))
        studio = stack.enter_context(Studio(config.speech, state_dir))
        registry = Registry.load(
            config.plugins, context=lent(config, state_dir, studio, lambda *told: dispatcher.progress(*told))
        )
        plugins = {**registry.enabled(), **(extra_plugins or {})}
        dispatcher = Dispatcher(plugins, outbox=store.outbox, fallback=config.alerts.fallback)
        stack.enter_context(dispatcher)
        policy = Policy(
            phrases_of(config),
            config.policy,
            armed=lambda: arming.armed,
            in_use=plugins,
            fallback=config.alerts.fallback,
            choose=choose,
            memory=Memory(state_dir, store) if source.live else None,  # a film's visitors may come again at once
        )
        stack.enter_context(Ticker(policy, dispatcher))
        if not plugins.keys().isdisjoint(config.policy.aloud):  # else no name leaves the house for a voice
            stack.enter_context(
                Repertoire(studio, lambda: policy.sentences(one.name for one in store.people()), store.people_revision)
            )
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
            chronicle=Chronicle(store, lambda stranger: store.visitors.group(stranger, choose)),
            policy=policy,
            alerts=dispatcher,
        )
        frames = stack.enter_context(LatestFrame(source))

        def tell(event: CameraEvent) -> None:
            for alert in policy.decide_camera(event.word, why=event.why):
                dispatcher.send(alert)

        health = CameraHealth(config.health, tell) if is_camera(config.camera.source) else None
        monitor = stack.enter_context(HealthMonitor(health, frames))
        commands = Commands(config.camera.name, arming, policy, store, frames, dispatcher)
        stack.enter_context(answering(commands.handlers(), state_dir))
        yield Daemon(pipeline, frames, dispatcher, store, monitor)


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
    written and closed. Raises StoreError where another daemon has ``state_dir``.
    """

    def serve(config: FacesecureConfig, service: Service) -> None:
        with (
            assembled(config, state_dir, extra_plugins) as daemon,
            Reporter(lambda: _standing(daemon, config, service)),
            service.watched(daemon.frames, config.camera.timeout) as frames,
        ):
            if on_ready:
                on_ready(daemon)
            daemon.pipeline.run(daemon.monitor.watching(frames), onlooker)
            if not exit_at_end and not service.ending:
                _log.info("the source has ended; waiting to be stopped (Ctrl-C, or start with --exit-at-end)")
                service.wait()

    with alone(state_dir):
        Service(serve, reread).run(config)


def _standing(daemon: Daemon, config: FacesecureConfig, service: Service) -> str:
    mode = daemon.pipeline.policy.mode
    return standing(daemon.store, daemon.frames, config.camera.name, mode, service.complaint)
