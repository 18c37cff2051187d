"""Verification by any embedder: cosines or distances, a threshold from other people, curves and a page."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure.domain.errors import UsageError
from facesecure_training.cli.main import app
from facesecure_training.common.embeddings import read_pairs
from facesecure_training.evaluation.robustness import measure_of, similarity, threshold_figures, to_measure
from facesecure_training.evaluation.setting import Setting
from facesecure_training.evaluation.verification_report import VerificationRequest, verify
from support.training.tiny_networks import embedder, saved

PEOPLE = 24


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Crops of one colour a person, four each; and pairs of the first and of the last twelve people."""
    root = tmp_path_factory.mktemp("crops")
    random = np.random.default_rng(7)
    for person in range(PEOPLE):
        (root / "images" / f"p{person}").mkdir(parents=True)
        colour = random.integers(0, 256, 3)
        for number in range(4):
            face = np.clip(colour + random.normal(0, 6, (32, 32, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / "images" / f"p{person}" / f"{number}.png"), face)
    for name, first in (("test", 0), ("validation", 12)):
        with (root / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["first", "second", "different"])
            for person in range(first, first + 12):
                other = first + (person + 1 - first) % 12
                for a, b in ((0, 1), (2, 3)):
                    table.writerow([f"p{person}/{a}.png", f"p{person}/{b}.png", 0])
                    table.writerow([f"p{person}/{a}.png", f"p{other}/{b}.png", 1])
    return root


def test_pairs_as_dataset_pairs_writes_them_are_read(images):
    pairs = read_pairs(images / "test.csv")
    assert len(pairs) == 48
    assert sum(pair.same for pair in pairs) == 24


def test_directions_are_compared_by_cosine_and_points_by_distance():
    direction = np.array([0.6, 0.8])
    assert measure_of([direction, None]) == "cosine"
    assert measure_of([direction, 3 * direction]) == "distance"
    assert similarity("distance", direction, 3 * direction) == pytest.approx(-2)
    assert to_measure("distance", -2.0) == 2


def test_a_rule_counts_a_pair_without_a_face_as_an_error():
    found = threshold_figures("distance", 1.0, [-0.5, -1.5, None, -0.7], [True, False, True, False])
    assert (found.accuracy.right, found.accuracy.count) == (2, 4)
    assert (found.false_accepts.right, found.false_rejects.right) == (1, 1)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("unit", "measure"), [(True, "cosine"), (False, "distance")])
def test_a_keras_embedder_is_verified_on_crops_with_a_threshold_of_other_people(images, tmp_path, unit, measure):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    model = saved(embedder(unit), tmp_path / "tiny.keras")
    asked = VerificationRequest(
        images / "images", images / "test.csv", validation=images / "validation.csv", rule=0.5, robustness=12
    )
    found = verify(Setting(str(model), "none"), asked)
    assert found.measure == measure
    assert found.chosen is not None
    assert found.threshold == found.chosen.threshold > 0
    assert found.chosen.accuracy.value > 0.8
    assert found.rates.eer < 0.2
    assert found.fixed is not None
    assert set(found.robustness) >= {"brightness", "blur", "pose"}
    if measure == "distance":
        thresholds = found.rates.curve.thresholds
        assert min(thresholds) >= 0
        assert list(thresholds) == sorted(thresholds)


@pytest.mark.tensorflow
def test_the_command_writes_a_page_with_the_curves(images, tmp_path):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    model = saved(embedder(), tmp_path / "tiny.keras")
    done = CliRunner().invoke(
        app,
        ["evaluate", "verification", "--images", str(images / "images"), "--pairs", str(images / "test.csv"),
         "--model", str(model), "--detector", "none", "--robustness", "6", "--report", str(tmp_path / "out"), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["measure"] == "cosine"
    assert {"eer", "accepted", "curve", "auc"} <= set(document["rates"])
    assert (tmp_path / "out/verification.html").read_text().count("data:image/png") == 5
    assert document == json.loads((tmp_path / "out/verification.json").read_text())


def test_people_in_both_lists_of_pairs_are_refused(images):
    asked = VerificationRequest(images / "images", images / "test.csv", validation=images / "test.csv")
    with pytest.raises(UsageError, match="separate them by person"):
        verify(Setting("mobilefacenet", "none"), asked)


def test_validation_pairs_may_lie_in_a_folder_of_their_own(images, tmp_path):
    """The same names there are other photos; the same photos under another name are not."""
    elsewhere = tmp_path / "elsewhere"
    for photo in sorted((images / "images").rglob("*.png")):
        other = elsewhere / photo.relative_to(images / "images")
        other.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(other), 255 - cv2.imread(str(photo)))
    own = VerificationRequest(
        images / "images", images / "test.csv", validation=images / "test.csv", validation_images=elsewhere
    )
    found = verify(Setting("mobilefacenet", "none"), own)
    assert found.chosen is not None
    assert found.chosen.accuracy.count == 48
    (tmp_path / "linked").symlink_to(images / "images")
    with pytest.raises(UsageError, match="separate them by person"):
        verify(Setting("mobilefacenet", "none"), replace(own, validation_images=tmp_path / "linked"))


def test_a_rate_to_choose_by_needs_pairs_to_choose_on(images):
    with pytest.raises(UsageError, match="--validation"):
        verify(Setting("mobilefacenet", "none"), VerificationRequest(images / "images", images / "test.csv", far=0.01))


def test_the_bundled_model_is_verified_on_crops_of_any_size(images):
    found = verify(Setting("mobilefacenet", "none"), VerificationRequest(images / "images", images / "test.csv"))
    assert found.measure == "cosine"
    assert found.report.pairs == 48
