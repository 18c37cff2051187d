"""Build one camera's pipeline, from its configuration, the models that recognise faces, and the alerts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from facesecure.alerts.build import AlertStack
from facesecure.camera.sources.attention import Attention
from facesecure.config import FacesecureConfig
from facesecure.pipeline.closeups import Closeups, NearestFrame
from facesecure.pipeline.continuity import Continuity
from facesecure.pipeline.fixed_faces import FixedFaces
from facesecure.pipeline.frame_sampler import FrameSampler
from facesecure.pipeline.model_pool import ModelPool
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.pipeline import Pipeline
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.sighting_recorder import SightingRecorder
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.calibration import Documents
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.liveness.doorstep import Doorstep
from facesecure.recognition.liveness.watch import LivenessWatch, limits_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.storage.store import Store
from facesecure.vision.detection.face_mask import FaceMask
from facesecure.vision.detection.motion import MotionGate


def build_pipeline(
    config: FacesecureConfig,
    models: ModelPool,
    rule: VerdictRule,
    store: Store,
    group: Callable[[str], object],
    alerts: AlertStack,
    observer: PipelineObserver,
    nearest: NearestFrame | None = None,
    scores: ScoreModel | None = None,
    documents: Documents | None = None,
    attention: Attention | None = None,
) -> Pipeline:
    """Build the stages between the camera of ``config`` and ``alerts``; nothing is started.

    ``models`` and ``rule``, which decides on verdicts, are shared with other cameras. ``group``
    assigns an ended sighting of a stranger, by its identifier, to a visitor. ``observer`` follows the processing of
    each frame. ``nearest`` returns the main stream's frame for one of the sub-stream that is searched, if it is one.
    ``scores`` tell whether a track still follows the same person; without them it always does. ``documents`` keep what
    known visits look like at this door; without them nothing is learned of that. ``attention`` is told whether the
    camera's next frames are needed.
    """
    tracker = Tracker(rule, fixed_faces=FixedFaces(), continuity=Continuity(scores))
    liveness = LivenessWatch(config.liveness, _doorstep(config, documents))
    return Pipeline(
        camera=config.camera.name,
        sampler=FrameSampler(
            MotionGate(config.motion, config.camera.zones),
            interval=config.detector.interval,
            following=lambda: tracker.busy,
            attention=attention,
        ),
        models=models,
        tracker=tracker,
        builder=SightingBuilder(config.camera.name, PresenceDetector(config.verdict.presence), doubts=liveness),
        recorder=SightingRecorder(
            store, group, partial(alerts.system.of_service, "disk_full"), lambda: alerts.policy.mode
        ),
        policy=alerts.policy,
        alerts=alerts.visitors,
        observer=observer,
        liveness=liveness,
        mask=FaceMask(config.motion.mask, config.camera.zones, config.camera.min_face or 0.0),
        closeups=Closeups(nearest),
    )


def _doorstep(config: FacesecureConfig, documents: Documents | None) -> Doorstep | None:
    if documents is None or config.liveness.mode == "off":
        return None
    return Doorstep.load(config.camera.name, documents, limits_of(config.liveness))
