"""The visits of one camera: which are doubted, which wait, and which are not judged at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facesecure.config.liveness import LivenessConfig
from facesecure.domain import Box, Face, Frame, Image
from facesecure.recognition.liveness.antispoof import MODELS, Antispoof, SpoofScores, near_crop, wide_crop
from facesecure.recognition.liveness.doorstep import FILE_NAME, Doorstep
from facesecure.recognition.liveness.visit import Limits
from facesecure.recognition.liveness.watch import LivenessWatch
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.vision.inference.model_card import load_model
from support.builders import face_at, frame_at
from support.held_up import HEAD, PICTURE, texture, visit


def watched(
    cut: float, config: LivenessConfig, light: float = 1.0, watch: LivenessWatch | None = None
) -> LivenessWatch:
    watch = watch or LivenessWatch(config)
    for frame, face in visit(cut, light=light):
        watch.observe(1, face, frame)
    return watch


def test_a_picture_is_doubted_and_a_person_is_not() -> None:
    assert watched(PICTURE, LivenessConfig()).doubt(1)
    assert not watched(HEAD, LivenessConfig()).doubt(1)


def test_what_is_only_logged_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    watch = watched(PICTURE, LivenessConfig(mode="log"))
    assert watch.doubt(1) == ""
    assert not watch.undecided(1, 0.3)
    assert "may be a picture" in caplog.text


def test_nothing_is_judged_if_it_is_off_the_face_is_small_or_the_light_is_bad() -> None:
    assert watched(PICTURE, LivenessConfig(mode="off")).cues(1).faces == 0
    assert watched(PICTURE, LivenessConfig(min_face=120)).cues(1).faces == 0
    assert watched(PICTURE, LivenessConfig(), light=0.1).cues(1).faces == 0
    grey = LivenessWatch(LivenessConfig())
    for frame, face in visit(PICTURE):
        image = np.repeat(frame.image.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
        grey.observe(1, face, frame_at(frame.taken_at, frame.index, image))
    assert grey.cues(1).faces == 0, "infrared light"


def test_a_name_waits_for_a_suspicious_visit_and_not_for_long() -> None:
    watch = LivenessWatch(LivenessConfig())
    for frame, face in visit(PICTURE, steps=3):
        watch.observe(1, face, frame)
    assert watch.undecided(1, 0.3)
    assert not watch.undecided(1, 2.0)
    assert not watch.undecided(2, 0.3), "another visit"
    assert not watched(HEAD, LivenessConfig()).undecided(1, 0.3)


def test_the_end_of_a_visit_gives_its_doubt_and_forgets_it(tmp_path: Path) -> None:
    documents = SignedDocuments(tmp_path)
    watch = LivenessWatch(LivenessConfig(), Doorstep("front door", Limits(), documents))
    watched(PICTURE, LivenessConfig(), watch=watch)
    assert watch.end(1, known=True)
    assert watch.end(1, known=True) == ""
    assert not (tmp_path / FILE_NAME).exists(), "nothing is learned from a picture"
    watched(HEAD, LivenessConfig(), watch=watch)
    assert watch.end(1, known=False) == ""
    assert not (tmp_path / FILE_NAME).exists(), "nor from a stranger"
    watched(HEAD, LivenessConfig(), watch=watch)
    assert watch.end(1, known=True) == ""
    assert (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(("x", "y", "size"), [(160, 120, 60), (5, 5, 60), (318, 238, 100), (160, 120, 400)])
def test_crops_beyond_the_edges_have_their_size(x: int, y: int, size: int) -> None:
    image, box = frame_at(0).image, face_at(x, y, size).box
    assert wide_crop(image, box, 80).shape == (80, 80, 3)
    assert near_crop(image, box, 128).shape == (128, 128, 3)


@pytest.fixture(scope="module")
def networks(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Antispoof:
    """Both networks, converted from what is published."""
    from facesecure.vision.inference import model_registry

    state, given = tmp_path_factory.mktemp("state"), shared_data / "models" / "antispoof"
    (state / "models").mkdir()
    for name, file in zip(MODELS, sorted(given.iterdir()), strict=True):
        (state / "models" / model_registry.remote_file(name).name).write_bytes(file.read_bytes())
        model_registry.pull(name, state)
    wide, near = (load_model(name, state) for name in MODELS)
    return Antispoof(wide, near)


@pytest.mark.parametrize(
    ("clip", "doubted", "light"),
    [("a-live.mp4", False, 1.0), ("a-live.mp4", False, 0.8), ("a-replay.mp4", True, 1.0), ("a-replay.mp4", True, 0.3)],
)
def test_a_replay_on_a_screen_is_doubted_and_the_person_is_not_by_day_and_darkened(
    clip: str, doubted: bool, light: float, shared_data: Path, networks: Antispoof
) -> None:
    watch = LivenessWatch(LivenessConfig())
    for frame, face in faces_in(shared_data / "spoof" / clip, light):
        watch.observe(1, face, frame, networks)
    assert watch.cues(1).scored >= 4
    assert bool(watch.doubt(1)) is doubted


def faces_in(clip: Path, light: float) -> Iterator[tuple[Frame, Face]]:
    """Yield five frames of a clip and the face in each."""
    from facesecure.camera.sources import open_source
    from facesecure.config import CameraConfig, DetectorConfig
    from facesecure.vision.detection.factory import build_detector

    detector = build_detector(DetectorConfig(min_face=150))
    for frame in open_source(f"file:{clip}", CameraConfig()).frames():
        if frame.index % 12 == 0 and frame.index < 60:
            dimmed: Frame = frame_at(frame.taken_at, frame.index, (frame.image * light).astype(np.uint8))
            (face,) = detector.detect(dimmed.image)
            yield dimmed, face


class _Suspicious:
    """Takes every face for a picture, and notes how wide it was."""

    def __init__(self) -> None:
        self.widths: list[float] = []

    def score(self, image: Image, box: Box) -> SpoofScores:
        self.widths.append(box.width)
        return SpoofScores(0.9, 0.9)


def test_a_small_face_of_a_sub_stream_is_judged_in_the_main_stream() -> None:
    networks, watch = _Suspicious(), LivenessWatch(LivenessConfig())
    small = face_at(160, 120, 40)
    image = texture(1, 240, 320)
    for number in range(4):
        frame = frame_at(number * 0.15, number, image)
        watch.observe(1, small, frame, networks, lambda _: (image, face_at(160, 120, 90)))  # type: ignore[arg-type]
        watch.observe(2, small, frame, networks, lambda face: (image, face))  # type: ignore[arg-type]
        watch.observe(3, small, frame, networks)  # type: ignore[arg-type]
    assert watch.doubt(1)
    assert networks.widths == [90] * 4, "no larger face, no judgement"
    assert (watch.cues(2).faces, watch.cues(3).faces) == (0, 0)
