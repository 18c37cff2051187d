"""What a householder can set: frozen pydantic models, one a section of the TOML file.

Every field has a default that works, a description that becomes the comment in ``facesecure config example``, and
a range. Unknown keys are errors. ``config_file`` reads a file into these and reports every problem at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from facesecure.config.base import Section
from facesecure.config.policy import PolicyConfig
from facesecure.domain import messages as sentences

if TYPE_CHECKING:
    pass


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
VoiceName = Literal["gtts", "piper", "espeak-ng", "fake"]


class CameraConfig(Section):
    """Where pictures come from."""

    source: str = Field(
        "picamera2:0",
        description="picamera2:0 | v4l2:/dev/video0 | rtsp://user:password@host/path | file:clip.mp4 | dir:images/",
    )
    name: str = Field("front door", min_length=1, description="what to call this camera in sightings and alerts")
    width: int = Field(1280, ge=64, le=7680, description="picture width asked of a local camera, pixels")
    height: int = Field(720, ge=64, le=4320, description="picture height asked of a local camera, pixels")
    fps: float = Field(10.0, gt=0, le=120, description="frames a second asked of a local camera")
    timeout: float = Field(5.0, gt=0, le=120, description="seconds without a frame before a stream counts as lost")
    reconnect_max: float = Field(
        30.0, gt=0, le=3600, description="longest pause between attempts to reconnect, seconds"
    )
    file_speed: Literal["fast", "real"] = Field(
        "fast", description="play file: and dir: as fast as possible, or at real speed"
    )


class MotionConfig(Section):
    """When nothing moves, nothing is looked at."""

    enabled: bool = Field(True, description="look for faces only while something moves")
    threshold: Fraction = Field(0.004, description="share of the picture that must change")
    contrast: float = Field(12.0, gt=0, le=255, description="brightness step (of 255) that counts as a change")
    linger: float = Field(2.0, ge=0, le=60, description="seconds to keep looking after the last movement")
    mask: list[tuple[Fraction, Fraction, Fraction, Fraction]] = Field(
        default_factory=list,
        description="areas to ignore, as [left, top, right, bottom] in fractions of the picture: a road, a tree",
    )


class DetectorConfig(Section):
    """How faces are found."""

    kind: Literal["mtcnn", "haar", "yunet"] = Field(
        "mtcnn", description="mtcnn | haar | yunet (after: facesecure models pull yunet)"
    )
    min_face: int = Field(40, ge=12, le=2000, description="smallest face looked for, pixels")
    confidence: Fraction | None = Field(
        None,
        description="detections below this are dropped; left out, what suits the kind: mtcnn 0.8, haar 0.8, yunet 0.6",
    )
    interval: float = Field(0.15, ge=0, le=10, description="least seconds between two searches of the picture")
    preset: Literal["default", "pisecurehome"] = Field(
        "default", description="haar only: pisecurehome is the 2020 report's 1.3 / 3 / 30 px"
    )


class QualityConfig(Section):
    """Below these a face is too poor to say who it is, and counts as unidentified, never as a stranger."""

    min_clarity: Fraction = Field(0.4, description="share of a face's likeness that such a picture keeps")
    min_eye_distance: Positive = Field(10.0, description="pixels between the eyes")
    min_sharpness: Fraction = Field(0.03, description="1 is a usual sharp photo, seen at the same size")
    min_brightness: float = Field(12.0, ge=0, le=255, description="mean brightness of the face")
    max_brightness: float = Field(240.0, ge=0, le=255, description="mean brightness of the face")
    min_contrast: float = Field(6.0, ge=0, le=255, description="standard deviation of brightness over the face")
    max_yaw: Fraction = Field(0.65, description="0 frontal, 1 profile")
    min_confidence: Fraction | None = Field(
        None,
        description="the detector's own certainty; left out, what suits the detector: mtcnn 0.9, haar 0.9, yunet 0.7",
    )


class RecognizerConfig(Section):
    """How faces are told apart."""

    kind: Literal["embedding", "classifier"] = Field(
        "embedding",
        description="embedding: knows whom you enrol | classifier: knows whom model was trained on (facesecure-train)",
    )
    model: str = Field(
        "mobilefacenet",
        description="a bundled or pulled model's name, or a path to NAME.tflite beside NAME.json",
    )
    embedder: str = Field(
        "mobilefacenet",
        description="beside a classifier: the embedding model that tells strangers apart, and people from animals",
    )

    @property
    def embedding_model(self) -> str:
        """The model whose embeddings are kept."""
        return self.model if self.kind == "embedding" else self.embedder

    @model_validator(mode="after")
    def _says_which_classifier(self) -> RecognizerConfig:
        if self.kind == "classifier" and "model" not in self.model_fields_set:
            raise ValueError(
                'kind = "classifier" needs a model: the path of the .tflite that facesecure-train exported'
            )
        return self


class VerdictConfig(Section):
    """How sure to be."""

    false_accept: float = Field(
        1e-5, gt=0, le=0.5, description="chance that a stranger's visit is taken for somebody known"
    )
    false_stranger: float = Field(
        1e-2, gt=0, le=0.5, description="chance that a family member's visit is called a stranger's"
    )
    margin: float = Field(2.0, ge=0, description="log-likelihood a name must lead the second-best name by")
    min_faces: int = Field(2, ge=1, le=50, description="usable faces needed for any verdict but unidentified")
    presence: float = Field(
        3.0,
        ge=0,
        description="seconds of movement without a usable face that make an unidentified sighting; 0: never",
    )


class StoreConfig(Section):
    """What is kept, and for how long."""

    keep_days: float = Field(30.0, ge=0, description="sightings and snapshots older than this are removed; 0: keep all")
    snapshots: bool = Field(True, description="keep a picture of every sighting")
    faces: bool = Field(True, description="keep the best faces of every sighting: visitors are told apart by them")
    max_faces_mb: float = Field(100.0, ge=0, description="oldest faces go when they exceed this; 0: no limit")
    max_snapshot_mb: float = Field(500.0, ge=0, description="oldest snapshots go when they exceed this; 0: no limit")


class SpeechConfig(Section):
    """What is said aloud, and by which voice. It is recorded beforehand, so that an alarm waits for no network."""

    language: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
        description="en | fr, or another that gTTS speaks (de, es, pt-PT): then give all sentences under phrases",
    )
    voices: list[VoiceName] = Field(
        default_factory=lambda: list[VoiceName](("gtts", "piper", "espeak-ng")),
        min_length=1,
        description="tried in this order: gtts asks Google over the network, piper (pip install "
        "'facesecure[offline-voice]') and espeak-ng (apt install espeak-ng) need none, fake only beeps",
    )
    where: str | None = Field(
        None,
        min_length=1,
        description="where the camera is, as it is said: at the front door, au garage; left out, by the camera's name",
    )
    slow: bool = Field(False, description="speak slowly")
    accent: str = Field(
        "com",
        pattern=r"^[a-z]{2,3}(\.[a-z]{2,3})?$",
        description="gtts: Google's domain, which gives the accent: com (American), co.uk, com.au, co.in, ca",
    )
    piper_model: Path | None = Field(
        None,
        description="piper: a voice's .onnx file beside its .onnx.json; left out, the one that is installed (English)",
    )
    silence: float = Field(
        0.6, ge=0, le=5, description="seconds of silence before the words: speakers swallow the first moment"
    )
    max_mb: float = Field(100.0, gt=0, description="the oldest recordings go when they exceed this")
    phrases: dict[str, str] = Field(
        default_factory=dict,
        description='sentences of your own: { stranger = "Who is {where}?" }; facesecure speech list shows all',
    )

    @field_validator("phrases")
    @classmethod
    def _can_be_said(cls, own: dict[str, str]) -> dict[str, str]:
        if found := sentences.problems(own):
            raise ValueError("; ".join(found))
        return own

    @model_validator(mode="after")
    def _has_every_sentence(self) -> SpeechConfig:
        if found := sentences.missing(self.language, self.phrases):
            raise ValueError("; ".join(found))
        return self


class AlertsConfig(Section):
    """How alerts find their way."""

    fallback: dict[str, str] = Field(
        default_factory=lambda: {"google_home": "speaker"},
        description="the plugin that takes over at once where another fails, hangs or is not there; one that only "
        "stands in for a plugin in use gets nothing else",
    )

    @field_validator("fallback")
    @classmethod
    def _leads_somewhere(cls, fallback: dict[str, str]) -> dict[str, str]:
        if circle := find_circle(fallback):
            raise ValueError(f"it goes round in a circle: {' > '.join(circle)}")
        return fallback


def _log_only() -> dict[str, dict[str, Any]]:
    return {"log": {}}


class FacesecureConfig(Section):
    """The whole file."""

    state_dir: Path | None = Field(
        None,
        description="where the database, snapshots and pulled models live; as a service /var/lib/facesecure",
    )
    camera: CameraConfig = Field(default_factory=lambda: CameraConfig())
    health: HealthConfig = Field(default_factory=lambda: HealthConfig())
    motion: MotionConfig = Field(default_factory=lambda: MotionConfig())
    detector: DetectorConfig = Field(default_factory=lambda: DetectorConfig())
    quality: QualityConfig = Field(default_factory=lambda: QualityConfig())
    recognizer: RecognizerConfig = Field(default_factory=lambda: RecognizerConfig())
    verdict: VerdictConfig = Field(default_factory=lambda: VerdictConfig())
    store: StoreConfig = Field(default_factory=lambda: StoreConfig())
    speech: SpeechConfig = Field(default_factory=lambda: SpeechConfig())
    policy: PolicyConfig = Field(default_factory=lambda: PolicyConfig())
    alerts: AlertsConfig = Field(default_factory=lambda: AlertsConfig())
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=_log_only,
        description="one table a plugin: [plugins.log]; each takes enabled = true|false and the plugin's own settings",
    )


class HealthConfig(Section):
    """Trouble with the camera is an alert of its own. Recordings (file:, dir:) have none."""

    offline: float = Field(20.0, ge=0, description="seconds without any picture before it is told; 0: never")
    frozen: float = Field(120.0, ge=0, description="seconds of the very same picture before it is told; 0: never")
    covered: float = Field(
        20.0, ge=0, description="seconds in which nothing is to be seen, all of a sudden, before it is told; 0: never"
    )
    moved: float = Field(
        120.0, ge=0, description="seconds in which the camera looks elsewhere before it is told; 0: never"
    )


def find_circle(fallback: Mapping[str, str]) -> list[str]:
    """The names of a circle in ``fallback``, the first again at the end; empty where there is none."""
    for start in fallback:
        path = [start]
        while path[-1] in fallback:
            path.append(fallback[path[-1]])
            if path[-1] in path[:-1]:
                return path[path.index(path[-1]) :]
    return []
