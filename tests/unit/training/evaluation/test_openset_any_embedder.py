"""Households judged by an embedder that is not ours: points, compared by distance; no judge without a score model."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure_training.cli.main import app
from facesecure_training.evaluation.households import Household
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.openset import compare, mean_by_distance, nearest_by_distance, rates_of
from support.builders import quality
from support.faces import PHOTOS
from support.training.tiny_networks import embedder, saved

PORTRAITS = PHOTOS


def observation(*point: float) -> FaceObservation:
    return FaceObservation(np.array(point, np.float32), quality(), 900.0)


HOUSE = Household(
    {"Ann": [observation(0, 0), observation(2, 0)], "Ben": [observation(10, 0)]},
    {"Ann": [observation(1, 1)], "Ben": [observation(9, 0)]},
    [observation(5, 9)],
)


def test_points_are_compared_with_the_mean_of_a_persons_pictures_or_the_nearest():
    (mean,) = compare([HOUSE], mean_by_distance)
    (nearest,) = compare([HOUSE], nearest_by_distance)
    assert mean.family == pytest.approx([-1, -1])
    assert nearest.family == pytest.approx([-np.sqrt(2), -1])
    assert mean.right.all()
    assert mean.strangers == pytest.approx([-np.hypot(4, 9)])


def test_the_curves_of_households_lose_a_face_that_is_nearest_to_another_name():
    wrong = Household(HOUSE.enrolled, {"Ann": [observation(9, 0)], "Ben": [observation(9, 0)]}, HOUSE.strangers)
    (found,) = compare([wrong], mean_by_distance)
    assert rates_of([found]).accepted[0].tar.value == 0.5


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """The two portraits in many lights, each light another "person": enough to draw households from."""
    root = tmp_path_factory.mktemp("people")
    portraits = [cv2.imread(str(path)) for path in sorted(PORTRAITS.glob("*.jpg"))]
    for person in range(14):
        small = cv2.resize(portraits[person % 2], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        (root / f"p{person:02}").mkdir()
        for number in range(5 if person < 4 else 1):
            photo = np.clip(small * (0.5 + 0.04 * person) + 2 * number, 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / f"p{person:02}" / f"p{person:02}_{number:04}.jpg"), photo)
    return root


@pytest.mark.tensorflow
def test_openset_takes_a_keras_model_of_another_size_and_writes_a_page(people, tmp_path):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    model = saved(embedder(unit=False), tmp_path / "points.keras")
    done = CliRunner().invoke(
        app,
        ["evaluate", "openset", "--images", str(people), "--model", str(model), "--households", "10", "--people", "2",
         "--pictures", "2", "--strangers", "10", "--peer-photos", "0", "--report", str(tmp_path / "out"), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["measure"], document["judged"]) == ("distance", [])
    assert set(document["rates"]) == {"ours", "nearest picture"}
    assert (tmp_path / "out/openset.html").read_text().count("data:image/png") == 3
