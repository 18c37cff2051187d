"""Run the daemon on a generated clip, without camera, speaker or network, in a state directory of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facesecure.app.assembly import run
from facesecure.app.demo.annotate import annotate
from facesecure.app.demo.contact_sheet import contact_sheet, save_png
from facesecure.camera.synthetic.clip import FPS, SECONDS, SIZE, enrolment_images, make_clip
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame, Sighting
from facesecure.domain.records import StoredSighting
from facesecure.pipeline.tracker import Track
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store
from facesecure.vision.images.photos import read_photo

Progress = Callable[[str, float], None]
"""Called with the current step and the share of it that is done (0 to 1)."""


def ignore_progress(what: str, done: float) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The sightings of the demo, and the files it has written."""

    sightings: Sequence[Sighting]
    clip: Path
    video: Path
    sheet: Path
    state_dir: Path


def show(out: Path, progress: Progress = ignore_progress) -> DemoResult:
    """Make the clip, enrol one of its visitors, run the daemon on it, and write images of the run into ``out``.

    Raises FacesecureError if a step fails, OSError if ``out`` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    state_dir = out / "state"
    progress("making the clip", 0.0)
    make_clip(out / "clip.mp4")
    config = FacesecureConfig.model_validate(
        {"camera": {"source": f"file:{out / 'clip.mp4'}"}, "plugins": {"log": {"enabled": False}}}
    )
    enrol(config, state_dir, progress)
    sightings = watch(config, state_dir, out / "annotated.mp4", progress)
    save_png(contact_sheet(sightings, "facesecure demo"), out / "sightings.png")
    return DemoResult(sightings, out / "clip.mp4", out / "annotated.mp4", out / "sightings.png", state_dir)


def enrol(config: FacesecureConfig, state_dir: Path, progress: Progress = ignore_progress) -> None:
    """Enrol the demo's known visitor in ``state_dir``, unless that was done before."""
    models = ModelStack.load(config, state_dir)
    with Store.open(state_dir) as store:
        if any(person.name == GRACE_HOPPER.name for person in store.people()):
            return
        enrolment = models.enrolment()
        images = enrolment_images()
        for number, image in enumerate(images):
            progress(f"enrolling {GRACE_HOPPER.name}", number / len(images))
            enrolment.add_image(image, f"picture {number + 1}")
        store.add_person(GRACE_HOPPER.name, enrolment.finish())


def watch(
    config: FacesecureConfig, state_dir: Path, video: Path, progress: Progress = ignore_progress
) -> list[Sighting]:
    """Run the daemon on the clip, and write an annotated ``video``. Return the sightings, oldest first."""
    with VideoWriter(video, SIZE, FPS, crf=23, preset="ultrafast") as writer:

        def onlooker(frame: Frame, tracks: Sequence[Track]) -> None:
            writer.write(annotate(frame.image, tracks, f"{frame.taken_at:5.1f} s"))
            progress("watching the clip", frame.taken_at / SECONDS)

        earlier = {stored.identifier for stored in _stored_sightings(state_dir)}
        run(config, state_dir, exit_at_end=True, onlooker=onlooker)
    return [_sighting_of(stored) for stored in _stored_sightings(state_dir) if stored.identifier not in earlier]


def _stored_sightings(state_dir: Path) -> list[StoredSighting]:
    """Return all sightings in the store. Those of a run are not told apart by their times: a recording ends now."""
    with Store.open(state_dir) as store:
        return list(store.each_sighting())


def _sighting_of(stored: StoredSighting) -> Sighting:
    """Return a stored sighting with its snapshot read from the disk."""
    return Sighting(
        identifier=stored.identifier,
        verdict=stored.verdict,
        source=stored.source,
        first_seen=stored.first_seen,
        last_seen=stored.last_seen,
        track=stored.track,
        supersedes=stored.supersedes,
        snapshot=read_photo(stored.snapshot) if stored.snapshot else None,
        box=stored.box,
    )
