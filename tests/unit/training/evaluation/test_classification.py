"""A classifier at a door, measured: who is named rightly, and which people it has never seen are named too."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure.domain.errors import FacesecureError, ModelError, UsageError
from facesecure.recognition.classifier import FaceClassifier
from facesecure.vision.inference.model_card import load_model
from facesecure_training.cli.main import app
from facesecure_training.evaluation.classification import measure
from facesecure_training.evaluation.predictors import open_network
from facesecure_training.evaluation.test_split import EvaluationSets
from support.training.colour_classifier import classifier_in

HUES = {"Anna": (200, 40, 40), "Tom": (40, 200, 40), "unknown": (40, 40, 200)}


def pictures(folder, name: str, colours) -> None:
    (folder / name).mkdir(parents=True)
    for number, colour in enumerate(colours):
        face = np.full((112, 112, 3), colour, np.uint8)
        cv2.imwrite(str(folder / name / f"{number:03}.png"), face[:, :, ::-1])


def around(colour, count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.clip(np.array(colour) + random.normal(0, 25, (count, 3)), 0, 255).astype(int)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """Anna's faces are red, Tom's green; of forty strangers most are blue or grey, four as red as Anna."""
    root = tmp_path_factory.mktemp("door")
    for seed, (name, colour) in enumerate(HUES.items()):
        pictures(root / "test", name, around(colour, 12, seed))
        pictures(root / "validation", name, around(colour, 10, 10 + seed))
    for number in range(40):
        colour = (205, 45, 45) if number % 10 == 0 else (90, 90, 150)
        pictures(root / "strangers", f"person{number}", around(colour, 2, 20 + number))
        pictures(root / "others", f"other{number}", around(colour, 2, 80 + number))
    return root


@pytest.fixture
def unmeasured(tmp_path):
    return classifier_in(tmp_path / "models", classifier={"scores": {}, "strangers": 0, "faces": 0})


def sets(door, **more) -> EvaluationSets:
    return EvaluationSets(door / "test", door / "strangers", door / "validation", door / "others", **more)


def evaluate(*words: object):
    return CliRunner().invoke(app, ["evaluate", "classifier", *map(str, words)])


def test_the_likeliest_class_names_the_strangers_who_look_like_somebody(door, unmeasured):
    report, _ = measure(open_network(str(unmeasured)), sets(door), 0.01, 0, None)
    assert report.plain.accuracy.count == 36
    assert report.plain.accuracy.value > 0.9
    assert report.plain.false_accepts.count == 80
    assert report.plain.false_accepts.right == sum(report.confusion[3][:2]) == 8


def test_the_confusion_has_a_row_for_people_never_seen(door, unmeasured):
    report, _ = measure(open_network(str(unmeasured)), sets(door), 0.01, 0, None)
    assert report.rows == ("Anna", "Tom", "unknown", "never seen")
    assert [sum(row) for row in report.confusion] == [12, 12, 12, 80]


def test_the_threshold_is_chosen_on_other_faces_and_strangers_than_it_is_measured_on(door, unmeasured):
    report, fitted = measure(open_network(str(unmeasured)), sets(door), 0.01, 0, None)
    lenient, _ = measure(open_network(str(unmeasured)), sets(door), 0.2, 0, None)
    assert report.threshold == fitted.thresholds["unknown"] > lenient.threshold
    assert report.with_threshold.false_accepts.value <= 0.05 < lenient.with_threshold.false_accepts.value
    assert fitted.facts.strangers == 40
    assert fitted.facts.faces == 80


def test_without_validation_half_of_the_videos_and_half_of_the_strangers_choose_it(door, unmeasured):
    report, fitted = measure(
        open_network(str(unmeasured)), EvaluationSets(door / "test", door / "strangers"), 0.1, 0, None
    )
    assert (report.strangers, fitted.facts.strangers) == (20, 20)
    assert report.pictures == 18


def test_a_threshold_that_is_given_is_not_chosen(door, unmeasured):
    report, _ = measure(open_network(str(unmeasured)), sets(door), 0.01, 0, 1.0)
    assert (report.threshold, report.with_threshold.named.value) == (1.0, 0)
    assert report.with_threshold.accuracy.value == pytest.approx(1 / 3)  # unknown people are rightly not named


def test_robustness_falls_where_the_colour_goes_and_not_where_only_sharpness_does(door, unmeasured):
    report, _ = measure(open_network(str(unmeasured)), sets(door), 0.1, 8, 0.4)
    named = {kind: [one.named for one in some] for kind, some in report.robustness.items()}
    assert named["contrast"] == [max(named["contrast"])] * 8  # of one colour each: its own mean stays
    assert min(named["blur"]) == max(named["blur"])
    assert named["brightness"][0] < named["brightness"][5]


def test_written_into_the_card_the_daemon_runs_it(door, unmeasured, tmp_path):
    with pytest.raises(ModelError, match="no measured scores"):
        FaceClassifier(load_model(unmeasured))
    done = evaluate(
        unmeasured, "--data", door / "test", "--strangers", door / "strangers", "--validation", door / "validation",
        "--validation-strangers", door / "others", "--robustness", 4, "--json", "--write-threshold",
        "--report", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    card = FaceClassifier(load_model(unmeasured)).card
    assert card.thresholds["unknown"] == document["threshold"]
    assert card.classifier.strangers == 40
    assert card.accuracy["strangers named by the likeliest class, %"] == 10.0
    page = (tmp_path / "out/classifier.html").read_text()
    assert "people not seen in training, named" in page
    assert page.count("data:image/png") == 7


def test_figures_can_be_read_by_people_too(door, unmeasured):
    done = evaluate(unmeasured, "--data", door / "test", "--strangers", door / "strangers", "--robustness", 0)
    assert "strangers named  " in done.stdout
    assert "too few strangers for this rate" in done.stdout


def test_folders_that_are_no_class_are_named(door, unmeasured):
    done = evaluate(unmeasured, "--data", door / "strangers", "--strangers", door / "strangers")
    assert isinstance(done.exception, UsageError)
    assert "not classes of colours" in str(done.exception)


def test_a_stranger_cannot_both_choose_the_threshold_and_be_measured_by_it(door, unmeasured):
    done = evaluate(
        unmeasured, "--data", door / "test", "--strangers", door / "strangers",
        "--validation-strangers", door / "strangers",
    )  # fmt: skip
    assert "in both sets of strangers" in str(done.exception)


def test_an_embedder_is_no_classifier(door):
    done = evaluate("mobilefacenet", "--data", door / "test", "--strangers", door / "strangers")
    assert isinstance(done.exception, FacesecureError)
    assert "evaluate verification" in str(done.exception)
