"""The real wiring on real video: from a file on disk to a recording plugin and the store."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import run
from facesecure.camera.synthetic.clip import Appearance, timeline
from facesecure.config import FacesecureConfig
from facesecure.domain import Sighting, Subject, VerdictKind
from facesecure.storage.store import Store
from support.service.journey import config_for

KNOWN, STRANGER, UNIDENTIFIED = VerdictKind.KNOWN, VerdictKind.STRANGER, VerdictKind.UNIDENTIFIED


def watched(config: FacesecureConfig, state_dir: Path) -> list[Sighting]:
    """The sightings the plugins were told of."""
    recorder = RecordingPlugin()
    run(config, state_dir, exit_at_end=True, extra_plugins={"recording": recorder})
    return [alert.sighting for alert in recorder.alerts]


@pytest.fixture(scope="session")
def state_dir(household, tmp_path_factory) -> Path:
    """The household's, to be written to: others begin with an untouched one."""
    copy = tmp_path_factory.mktemp("evening") / "state"
    shutil.copytree(household, copy)
    return copy


@pytest.fixture(scope="session")
def evening(state_dir, door_clip) -> list[Sighting]:
    return watched(config_for(door_clip), state_dir)


def of_visit(sightings: Sequence[Sighting], visit: Appearance) -> list[Sighting]:
    """What was said about one visit, by when its track began (the clip starts when it is opened)."""
    start = min(sighting.first_seen for sighting in sightings)
    first = min(appearance.start for appearance in timeline())
    return [s for s in sightings if visit.start - 1 <= (s.first_seen - start).total_seconds() + first <= visit.end]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_visitor_gets_the_verdict_that_is_true_and_no_other(evening, number):
    visit = timeline()[number]
    verdicts = [sighting.verdict for sighting in of_visit(evening, visit)]
    assert [verdict.kind for verdict in verdicts] == [visit.expected], verdicts
    if visit.expected is KNOWN:
        assert verdicts[0].name == visit.who


def test_what_the_plugins_were_told_is_what_the_store_keeps(evening, state_dir):
    with Store.open(state_dir) as store:
        kept = {sighting.identifier: sighting for sighting in store.sightings(limit=100)}
        assert kept.keys() == {sighting.identifier for sighting in evening}
        for sighting in evening:
            assert kept[sighting.identifier].verdict.kind is sighting.verdict.kind
            assert kept[sighting.identifier].snapshot is not None
            assert kept[sighting.identifier].last_seen >= sighting.last_seen


def test_without_anybody_enrolled_both_clear_visitors_are_strangers(door_clip, tmp_path):
    kinds = [sighting.verdict.kind for sighting in watched(config_for(door_clip), tmp_path)]
    assert kinds.count(STRANGER) == 2
    assert KNOWN not in kinds


def test_people_seen_from_behind_are_noticed_and_never_strangers(shared_data, tmp_path):
    sightings = watched(config_for(shared_data / "clips" / "corridor-backs.mp4"), tmp_path)
    assert {(sighting.verdict.kind, sighting.subject) for sighting in sightings} == {(UNIDENTIFIED, Subject.PERSON)}


def test_a_mask_over_the_whole_picture_sees_nobody(door_clip, tmp_path):
    config = config_for(door_clip, motion={"mask": [[0, 0, 1, 1]]})
    assert watched(config, tmp_path) == []
