"""All rules on all visits, with the bundled model's own scores, on people whose embeddings are made up."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.cli import evaluate_openset
from facesecure_training.evaluation import plots, tracks_report
from facesecure_training.evaluation.households import DrawSettings
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.setting import Setting
from support.builders import quality

HOW = DrawSettings(households=10, people=3, pictures=3)
PEOPLE, PHOTOS, SIZE = 30, 8, 192


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Thirty people with eight photos each, whose observations scatter round a direction of their own."""
    centres = np.random.default_rng(1).normal(size=(PEOPLE, SIZE))

    def observation(photo, name: str) -> FaceObservation:
        person, number = (int(part) for part in photo.stem.split("_"))
        noise = np.random.default_rng((person, number, len(name), sum(name.encode()))).normal(size=SIZE)
        vector = centres[person] + 0.5 * noise
        return FaceObservation((vector / np.linalg.norm(vector)).astype(np.float32), quality(), 900.0)

    for person in range(PEOPLE):
        (tmp_path / f"{person}").mkdir()
        for number in range(PHOTOS):
            (tmp_path / f"{person}" / f"{person}_{number}.jpg").touch()
    monkeypatch.setattr(
        tracks_report,
        "observe",
        lambda photos, setting, name="", corruption=None: {p: observation(p, name) for p in photos},
    )
    return tmp_path


@pytest.mark.slow
def test_every_rule_is_measured_on_the_same_visits_at_each_rate(images, tmp_path):
    report = tracks_report.measure(Setting(), images, HOW, 60)
    assert report.family_tracks == 10 * 3 * 3
    assert report.stranger_tracks == 60
    assert {(one.rule, one.asked) for one in report.rules} == {
        (rule, asked) for rule in tracks_report.RULES for asked in tracks_report.RATES
    }
    ours = report.rules[0]
    assert (ours.rule, ours.named, ours.misnamed, ours.let_in) == ("ours", 100, 0, 0)
    assert ours.faces == 2
    assert len(evaluate_openset.tracks_table(report)) == 2 + len(report.rules)
    plots.tracks(tmp_path / "charts" / "tracks.png", report)
    assert (tmp_path / "charts" / "tracks.png").stat().st_size > 10_000


def test_nobody_with_enough_photos_is_wrong_usage(images):
    with pytest.raises(UsageError, match="too few"):
        tracks_report.measure(Setting(), images, DrawSettings(households=10, people=3, pictures=7), 60)
