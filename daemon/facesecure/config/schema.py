"""The configuration schema: one frozen pydantic model for each section of the TOML file.

Every field has a default that works, a description that becomes the comment in ``facesecure config example``, and
a range. Unknown keys are errors. ``config.loader`` reads a file into these models and reports every problem at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from facesecure.config.alerts import AlertsConfig as AlertsConfig
from facesecure.config.areas import Fraction
from facesecure.config.base import Section, SettingError
from facesecure.config.cameras import CameraConfig as CameraConfig
from facesecure.config.cameras import Cameras
from facesecure.config.cameras import HealthConfig as HealthConfig
from facesecure.config.cameras import MotionConfig as MotionConfig
from facesecure.config.clips import ClipsConfig as ClipsConfig
from facesecure.config.hub import HubConfig as HubConfig
from facesecure.config.inference import InferenceConfig as InferenceConfig
from facesecure.config.liveness import LivenessConfig as LivenessConfig
from facesecure.config.mqtt import MqttConfig as MqttConfig
from facesecure.config.policy import DEFAULT_PLUGIN, PolicyConfig
from facesecure.config.presence import PresenceConfig as PresenceConfig
from facesecure.config.subjects import SubjectsConfig as SubjectsConfig
from facesecure.config.updates import UpdatesConfig as UpdatesConfig
from facesecure.config.web import WebConfig as WebConfig
from facesecure.domain import messages
from facesecure.util.rates import HIGHEST, parse_rate

Positive = Annotated[float, Field(gt=0.0)]
Rate = Annotated[float, BeforeValidator(parse_rate), Field(gt=0.0, le=HIGHEST)]
VoiceName = Literal["gtts", "piper", "espeak-ng", "fake"]


class DetectorConfig(Section):
    """How faces are detected."""

    kind: Literal["mtcnn", "haar", "yunet"] = Field(
        "mtcnn", description="mtcnn | haar | yunet (after: facesecure models pull yunet)"
    )
    min_face: int = Field(40, ge=12, le=2000, description="width of the smallest face to detect, in pixels")
    confidence: Fraction | None = Field(
        None,
        description="detections below this are dropped; by default it depends on the kind: "
        "mtcnn 0.8, haar 0.8, yunet 0.6",
        examples=[0.8],
    )
    interval: float = Field(0.15, ge=0, le=10, description="shortest time between two detections, in seconds")
    preset: Literal["default", "pisecurehome"] = Field(
        "default", description="haar only: pisecurehome is the 2020 report's 1.3 / 3 / 30 px"
    )


class QualityConfig(Section):
    """A face below these limits is too poor to recognise: it counts as unidentified, never as a stranger."""

    min_clarity: Fraction = Field(
        0.4, description="share of a face's similarity to its own person that an image of this quality keeps"
    )
    min_eye_distance: Positive = Field(10.0, description="distance between the eyes, in pixels")
    min_sharpness: Fraction = Field(0.03, description="1 is a typical sharp photo, seen at the same size")
    min_brightness: float = Field(12.0, ge=0, le=255, description="mean brightness of the face")
    max_brightness: float = Field(240.0, ge=0, le=255, description="mean brightness of the face")
    min_contrast: float = Field(6.0, ge=0, le=255, description="standard deviation of brightness over the face")
    max_yaw: Fraction = Field(0.65, description="0 is frontal, 1 is profile")
    min_confidence: Fraction | None = Field(
        None,
        description="confidence of the detector; by default it depends on the detector: mtcnn 0.9, haar 0.9, yunet 0.7",
        examples=[0.9],
    )


class RecognizerConfig(Section):
    """How faces are recognised."""

    kind: Literal["embedding", "classifier"] = Field(
        "embedding",
        description="embedding: knows the people you enrol | "
        "classifier: knows the people it was trained on (facesecure-train)",
    )
    model: str = Field(
        "mobilefacenet",
        description="the name of a bundled or pulled model, or a path to NAME.tflite beside NAME.json",
    )
    embedder: str = Field(
        "mobilefacenet",
        description="with a classifier: the embedding model that tells strangers apart, and people from animals",
    )

    @property
    def embedding_model(self) -> str:
        """The model whose embeddings are stored."""
        return self.model if self.kind == "embedding" else self.embedder

    @model_validator(mode="after")
    def _names_its_classifier(self) -> RecognizerConfig:
        if self.kind == "classifier" and "model" not in self.model_fields_set:
            raise ValueError(
                'kind = "classifier" needs a model: the path of the .tflite that facesecure-train exported'
            )
        return self


class VerdictConfig(Section):
    """How much evidence a verdict needs."""

    false_accept: Rate = Field(
        1e-5,
        description="probability that a stranger's visit is taken for an enrolled person's: "
        '1e-5, "1/100000" or "0.001%"',
    )
    false_stranger: Rate = Field(
        1e-2,
        description='probability that an enrolled person\'s visit is taken for a stranger\'s: 0.01, "1/100" or "1%"',
    )
    margin: float = Field(2.0, ge=0, description="log-likelihood by which a name must lead the second-best name")
    min_faces: int = Field(2, ge=1, le=50, description="usable faces needed for any verdict but unidentified")
    presence: float = Field(
        3.0,
        ge=0,
        description="seconds of movement without a usable face that make an unidentified sighting; 0: never",
    )


class StoreConfig(Section):
    """What is stored, and for how long."""

    keep_days: float = Field(
        30.0, ge=0, description="sightings and snapshots older than this many days are removed; 0: keep all"
    )
    audit_days: float = Field(
        365.0, ge=0, description="entries of the audit log older than this many days are removed; 0: keep all"
    )
    snapshots: bool = Field(True, description="store a snapshot of every sighting")
    faces: bool = Field(True, description="store the best faces of every sighting: they tell visitors apart")
    max_faces_mb: float = Field(
        100.0, ge=0, description="the oldest faces are removed when they exceed this; 0: no limit"
    )
    max_snapshot_mb: float = Field(
        500.0, ge=0, description="the oldest snapshots are removed when they exceed this; 0: no limit"
    )


class SpeechConfig(Section):
    """What is announced aloud, and by which voice. Speech is synthesised in advance, so an alarm needs no network."""

    language: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
        description="en | fr, or another language of gTTS (de, es, pt-PT): then write all sentences under phrases",
    )
    voices: list[VoiceName] = Field(
        default_factory=lambda: list[VoiceName](("gtts", "piper", "espeak-ng")),
        min_length=1,
        description="tried in this order: gtts asks Google over the network; piper and espeak-ng work offline "
        "(facesecure doctor says how to install them); fake only beeps",
    )
    where: str | None = Field(
        None,
        min_length=1,
        description="the location as it is spoken: at the front door, au garage; by default from the camera's name",
        examples=["at the front door"],
    )
    slow: bool = Field(False, description="speak slowly")
    accent: str = Field(
        "com",
        pattern=r"^[a-z]{2,3}(\.[a-z]{2,3})?$",
        description="gtts: the Google domain, which sets the accent: com (American), co.uk, com.au, co.in, ca",
    )
    piper_model: Path | None = Field(
        None,
        description="piper: a voice's .onnx file beside its .onnx.json; by default the installed voice (English)",
        examples=["/usr/local/share/piper/en_GB-alan-medium.onnx"],
    )
    silence: float = Field(
        0.6, ge=0, le=5, description="seconds of silence before the words: speakers swallow the first moment"
    )
    max_mb: float = Field(100.0, gt=0, description="the oldest cached speech is removed when the cache exceeds this")
    phrases: dict[str, str] = Field(
        default_factory=dict,
        description='your own sentences: { stranger = "Who is {where}?" }; facesecure speech list shows all',
    )

    @field_validator("phrases")
    @classmethod
    def _phrases_are_valid(cls, phrases: dict[str, str]) -> dict[str, str]:
        if found := messages.problems(phrases):
            raise ValueError("; ".join(found))
        return phrases

    @model_validator(mode="after")
    def _has_every_sentence(self) -> SpeechConfig:
        if found := messages.missing(self.language, self.phrases):
            raise ValueError("; ".join(found))
        return self


def _log_only() -> dict[str, dict[str, Any]]:
    return {DEFAULT_PLUGIN: {}}


class FacesecureConfig(Section):
    """The whole configuration file.

    Example::

        load_config(Path("facesecure.toml")).camera.source
    """

    state_dir: Path | None = Field(
        None,
        description="folder of the database, snapshots and pulled models; the service uses /var/lib/facesecure",
        examples=["/var/lib/facesecure"],
    )
    cameras: Cameras = Field(
        default_factory=list,
        description="instead of [camera], a table [[cameras]] for each, with the settings of [camera] and a name of "
        "its own; docs/cameras.md shows how",
    )
    camera: CameraConfig = Field(default_factory=lambda: CameraConfig())
    health: HealthConfig = Field(default_factory=lambda: HealthConfig())
    motion: MotionConfig = Field(default_factory=lambda: MotionConfig())
    detector: DetectorConfig = Field(default_factory=lambda: DetectorConfig())
    quality: QualityConfig = Field(default_factory=lambda: QualityConfig())
    recognizer: RecognizerConfig = Field(default_factory=lambda: RecognizerConfig())
    inference: InferenceConfig = Field(default_factory=lambda: InferenceConfig())
    verdict: VerdictConfig = Field(default_factory=lambda: VerdictConfig())
    liveness: LivenessConfig = Field(default_factory=lambda: LivenessConfig())
    subjects: SubjectsConfig = Field(default_factory=lambda: SubjectsConfig())
    store: StoreConfig = Field(default_factory=lambda: StoreConfig())
    clips: ClipsConfig = Field(default_factory=lambda: ClipsConfig())
    speech: SpeechConfig = Field(default_factory=lambda: SpeechConfig())
    policy: PolicyConfig = Field(default_factory=lambda: PolicyConfig())
    presence: PresenceConfig = Field(default_factory=lambda: PresenceConfig())
    alerts: AlertsConfig = Field(default_factory=lambda: AlertsConfig())
    web: WebConfig = Field(default_factory=lambda: WebConfig())
    mqtt: MqttConfig = Field(default_factory=lambda: MqttConfig())
    hub: HubConfig = Field(default_factory=lambda: HubConfig())
    updates: UpdatesConfig = Field(default_factory=lambda: UpdatesConfig())
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=_log_only,
        description="one table for each plugin: [plugins.log]; each takes enabled = true|false and the plugin's "
        "own settings; log is in use unless its table says enabled = false",
    )

    @field_validator("plugins")
    @classmethod
    def _log_stays(cls, plugins: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return ``plugins`` with the log: to add one plugin must not silence another."""
        return {**_log_only(), **plugins}

    @field_validator("camera", mode="before")
    @classmethod
    def _is_one_table(cls, camera: Any) -> Any:
        if isinstance(camera, list):
            raise ValueError("must be one section; for several cameras, begin each with [[cameras]]")
        return camera

    @field_validator("camera")
    @classmethod
    def _is_alone(cls, camera: CameraConfig, info: ValidationInfo) -> CameraConfig:
        if info.data.get("cameras") and camera.model_fields_set:
            raise ValueError("stands beside [[cameras]]: move its settings into a table [[cameras]] of its own")
        return camera

    @model_validator(mode="after")
    def _begins_with_the_first_camera(self) -> FacesecureConfig:
        """Make the first of ``cameras`` the one that is used where none is chosen."""
        if len(self.cameras) > 1 and self.speech.where is not None:
            raise SettingError("is for one camera: set where in each table [[cameras]]", ("speech", "where"))
        if self.cameras:
            self.__dict__["camera"] = self.cameras[0]
        return self

    def each_camera(self) -> list[FacesecureConfig]:
        """Return a configuration for each camera: its ``camera`` is that one, and the camera's own settings hold."""
        return [self._of_camera(camera) for camera in self.cameras or [self.camera]]

    def _of_camera(self, camera: CameraConfig) -> FacesecureConfig:
        own: dict[str, Any] = {"cameras": [], "camera": camera}
        if camera.mask is not None:
            own["motion"] = self.motion.model_copy(update={"mask": camera.mask})
        if camera.min_face is not None:
            own["detector"] = self.detector.model_copy(update={"min_face": camera.min_face})
        if camera.where is not None:
            own["speech"] = self.speech.model_copy(update={"where": camera.where})
        if camera.health is not None:
            given = {name: getattr(camera.health, name) for name in camera.health.model_fields_set}
            own["health"] = self.health.model_copy(update=given)
        filmed = self.clips.enabled if camera.clips is None else camera.clips
        if filmed == "auto":
            filmed = camera.source.strip().lower().startswith(("rtsp:", "rtsps:"))
        own["clips"] = self.clips.model_copy(update={"enabled": filmed})
        return self.model_copy(update=own)
