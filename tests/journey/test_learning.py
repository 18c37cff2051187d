"""Somebody unknown comes twice, is named, and is known the third time; and a wrong name that is taken back stays so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import run
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import Verdict, VerdictKind
from support.service.commandline import CommandLine, own_settings
from support.service.journey import config_for

KNOWN, STRANGER = VerdictKind.KNOWN, VerdictKind.STRANGER


@pytest.fixture
def facesecure(household, tmp_path, monkeypatch, capfd) -> CommandLine:
    """The command line of a household that knows Grace Hopper."""
    state = own_settings(tmp_path, monkeypatch)
    shutil.copytree(household, state)
    return CommandLine(state, capfd)


@pytest.fixture(scope="module")
def noon_clip(door_clip, tmp_path_factory) -> Path:
    """The same visits in brighter light, as on another day."""
    path = tmp_path_factory.mktemp("noon") / "noon.mp4"
    brighter = np.array([255 * (level / 255) ** 0.7 for level in range(256)], np.uint8)
    with av.open(str(door_clip)) as clip:
        stream = clip.streams.video[0]
        with VideoWriter(path, (stream.width, stream.height), float(stream.average_rate or 15)) as video:
            for frame in clip.decode(stream):
                video.write(brighter[frame.to_ndarray(format="rgb24")])
    return path


@pytest.fixture
def evening(facesecure, door_clip) -> Callable[..., list[Verdict]]:
    """An evening at the door; returns the verdicts that the plugins were told."""

    def watch(clip: Path = door_clip) -> list[Verdict]:
        recorder = RecordingPlugin()
        run(config_for(clip), facesecure.state, exit_at_end=True, extra_plugins={"recording": recorder})
        assert all(alert.sighting.faces == () for alert in recorder.alerts), "plugins are not told of faces"
        return [alert.sighting.verdict for alert in recorder.alerts]

    return watch


def names(verdicts: list[Verdict]) -> set[str | None]:
    return {verdict.name for verdict in verdicts if verdict.kind is KNOWN}


@pytest.mark.slow
def test_a_stranger_who_comes_twice_is_named_and_known_the_third_time(facesecure, evening, door_clip, noon_clip):
    assert [names(evening(clip)) for clip in (door_clip, noon_clip)] == [{"Grace Hopper"}] * 2
    (visitor,) = facesecure("visitors", "list", "--json").json["visitors"]
    assert visitor["visits"] == 2
    assert Path(visitor["snapshot"]).exists()

    named = facesecure("visitors", "name", visitor["id"], EILEEN_COLLINS.name, "--json")
    assert named.code == 0, named.err
    assert named.json["taken"] >= 3
    verdicts = evening()
    assert names(verdicts) == {"Grace Hopper", EILEEN_COLLINS.name}
    assert STRANGER not in {verdict.kind for verdict in verdicts}

    events = facesecure("events", "list", "--name", EILEEN_COLLINS.name, "--json").json["events"]
    assert [event["verdict"] for event in events] == ["known", "stranger", "stranger"], "how it was told stays"
    assert [event["correction"] for event in events] == [None, "named later", "named later"]


@pytest.mark.slow
def test_a_name_taken_back_is_remembered_until_it_is_given_back(facesecure, evening):
    """Somebody says that it was not Grace, and later that it was her after all."""
    name = "Grace Hopper"
    assert names(evening()) == {name}
    known_by = facesecure.people()[name]
    (event,) = facesecure("events", "list", "--name", name, "--json").json["events"]
    outcome = facesecure("events", "correct", event["id"], "--not", name, "--json")
    assert outcome.code == 0, outcome.err
    assert (outcome.json["verdict"], outcome.json["name"]) == ("known", name), "how it was told stays"
    assert (outcome.json["corrected_verdict"], outcome.json["correction"]) == ("stranger", f"corrected: not {name}")
    assert facesecure("events", "list", "--name", name, "--json").json["events"] == []
    visitors = facesecure("visitors", "list", "--json").json["visitors"]
    assert [visitor["marked"] for visitor in visitors if visitor["id"] == outcome.json["visitor"]] == [True]

    assert facesecure("events", "correct", event["id"], "--is", name).code == 0
    assert not any(visitor["marked"] for visitor in facesecure("visitors", "list", "--json").json["visitors"])
    assert facesecure.people()[name] >= known_by
    assert names(evening()) == {name}


def test_a_stranger_is_not_enrolled_as_somebody_else_is(facesecure, evening):
    evening()
    (visitor,) = facesecure("visitors", "list", "--json").json["visitors"]
    refused = facesecure("visitors", "name", visitor["id"], "Grace Hopper")
    assert refused.code == 1
    assert "does not look like the others" in refused.out
    assert facesecure("visitors", "show", visitor["id"], "--json").json["name"] is None
