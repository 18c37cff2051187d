"""The householder's first evening, typed: try the demo, enrol, watch a recording, ask what was seen."""

import json
import time

import pytest

from facesecure.camera.synthetic.clip import enrolment_images, make_clip
from facesecure.camera.synthetic.video_writer import VideoWriter
from support.service.commandline import CommandLine, own_settings, started, write_picture


@pytest.fixture
def facesecure(tmp_path, monkeypatch, capfd):
    return CommandLine(own_settings(tmp_path, monkeypatch), capfd)


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for number, image in enumerate(enrolment_images()):
        write_picture(folder / f"{number}.png", image)
    return folder


def test_the_demo_shows_all_three_verdicts_and_leaves_pictures_to_look_at(facesecure, tmp_path):
    outcome = facesecure("demo", "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    assert {sighting["verdict"] for sighting in outcome.json["sightings"]} == {"known", "stranger", "unidentified"}
    for what, beginning in (("sheet", b"\x89PNG"), ("film", b"\0\0\0")):
        with open(outcome.json[what], "rb") as file:  # noqa: PTH123 - a path as the command told it
            assert file.read(4).startswith(beginning)
    assert not facesecure.state.exists()  # nothing of the household's is touched


def test_a_recording_is_watched_and_what_was_seen_can_be_asked_for(facesecure, album, tmp_path):
    make_clip(tmp_path / "door.mp4")
    told = tmp_path / "told.jsonl"
    config = tmp_path / "door.toml"
    config.write_text(f'[camera]\nname = "garden gate"\n[plugins.log]\nfile = "{told}"\n')
    assert facesecure("enroll", "Grace", "--images", album).code == 0
    outcome = facesecure("run", "--source", f"file:{tmp_path / 'door.mp4'}", "--exit-at-end", "--config", config)
    assert (outcome.code, outcome.out) == (0, "")
    assert "Grace is at the garden gate" in outcome.err
    events = facesecure("events", "list", "--json").json["events"]
    assert {event["name"] or event["verdict"] for event in events} == {"Grace", "stranger", "unidentified"}
    assert {json.loads(line)["kind"] for line in told.read_text().splitlines()} == {"known", "stranger", "unidentified"}
    shown = facesecure("events", "show", events[0]["id"], "--json").json
    assert shown == {**events[0], "route": ["garden gate"], "clips": []}


def test_somebody_enrolled_while_the_daemon_runs_is_known_within_seconds(facesecure, album, tmp_path):
    """Grace stands at the door all the time; what is said of her changes when she is enrolled."""
    with VideoWriter(tmp_path / "door.mp4", (640, 640), 10.0, crf=18, preset="ultrafast") as film:
        images = enrolment_images()
        for _ in range(35):
            for image in images:
                for _ in range(5):
                    film.write(image)
    told = tmp_path / "told.jsonl"
    config = tmp_path / "door.toml"
    config.write_text(f'[camera]\nfile_speed = "real"\n[plugins.log]\nfile = "{told}"\n')
    words = ("--config", config, "run", "--source", f"file:{tmp_path / 'door.mp4'}", "--exit-at-end")
    with started(*words, state=facesecure.state) as daemon:
        try:
            assert _told_within(told, "stranger", 60)
            assert facesecure("enroll", "Grace", "--images", album).code == 0
            # On an idle machine two until she is seen to be there, and a few frames for the verdict.
            assert _told_within(told, "known", 60)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=60)
    assert daemon.returncode == 0


def _told_within(path, kind, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and any(json.loads(line)["kind"] == kind for line in path.read_text().splitlines()):
            return True
        time.sleep(0.05)
    return False
