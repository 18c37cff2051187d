"""A person seen from behind, on real video: reported as a person, with the place in the snapshot, and announced."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import run
from facesecure.domain import Alert, Subject, VerdictKind
from facesecure.domain.records import StoredSighting
from facesecure.storage.store import Store
from support.service.journey import config_for


@pytest.fixture(scope="module")
def first_visit(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 22 seconds of the corridor: one person, from behind."""
    path = tmp_path_factory.mktemp("corridor") / "visit.mp4"
    with av.open(shared_data / "clips/corridor-backs.mp4") as whole, av.open(path, "w") as cut:
        video = whole.streams.video[0]
        copy = cut.add_stream_from_template(video)
        for packet in whole.demux(video):
            if packet.pts is not None and packet.pts * packet.time_base < 22:
                packet.stream = copy
                cut.mux(packet)
    return path


def watched(clip: Path, state_dir: Path, **sections: object) -> tuple[list[StoredSighting], list[Alert]]:
    """The sightings that the store keeps of ``clip``, and the alerts."""
    recorder = RecordingPlugin()
    run(config_for(clip, **sections), state_dir, exit_at_end=True, extra_plugins={"recording": recorder})
    with Store.open(state_dir) as store:
        return store.sightings(limit=100), recorder.alerts


def test_a_person_seen_from_behind_is_announced_as_one_who_shows_no_face(first_visit: Path, tmp_path: Path) -> None:
    (sighting,), (alert,) = watched(first_visit, tmp_path)
    assert (sighting.verdict.kind, sighting.subject) == (VerdictKind.UNIDENTIFIED, Subject.PERSON)
    assert alert.text == "A person who shows no face is at the front door"
    assert alert.sighting is not None
    assert alert.sighting.subject is Subject.PERSON
    assert sighting.snapshot is not None
    assert sighting.box is not None
    height, width = cv2.imread(str(sighting.snapshot)).shape[:2]
    assert (width, height) == (768, 432)
    assert 0.3 * width < sighting.box.centre[0] < width
    assert sighting.box.height > height / 2


@pytest.mark.slow
def test_where_nobody_looks_it_is_somebody_or_something(first_visit: Path, tmp_path: Path) -> None:
    (sighting,), (alert,) = watched(first_visit, tmp_path, subjects={"enabled": False})
    assert (sighting.subject, sighting.box) == (None, None)
    assert alert.text == "Somebody or something was at the front door"
