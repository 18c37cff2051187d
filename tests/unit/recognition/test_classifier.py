import hashlib

import numpy as np
import pytest

from facesecure.config import QualityConfig, VerdictConfig
from facesecure.domain import AlignedFace, Box, VerdictKind
from facesecure.domain.errors import ModelError
from facesecure.recognition.classifier import ClassifierRecognizer, FaceClassifier
from facesecure.recognition.classifier_thresholds import ClassThresholds
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.identify import analyse_face
from facesecure.vision.images.align import square_crop
from facesecure.vision.images.illumination import brightened
from facesecure.vision.inference.model_card import load_model
from support.builders import face_at, quality
from support.training.colour_classifier import BLUE, GREEN, RED, WIDE, classifier_in, coloured

ANYTHING = QualityConfig(
    min_clarity=0, min_eye_distance=1, min_sharpness=1e-9, min_brightness=0, max_brightness=255, min_contrast=0
)


class Embedding:
    def __init__(self) -> None:
        self.saw: list[np.ndarray] = []

    def embed(self, face):
        self.saw.append(face)
        return np.array([0.6, 0.8] if len(self.saw) % 2 else [0.8, -0.6], np.float32)


def loaded(folder, **card) -> FaceClassifier:
    return FaceClassifier(load_model(classifier_in(folder, **card)))


def recognised(classifier, *colours, doubts=lambda _: ()):
    recogniser = ClassifierRecognizer(classifier, Embedding(), "e" * 64, doubts)
    return [recogniser.identify(AlignedFace(colour, quality())) for colour in colours]


def judged(folder, *colours, **card):
    """The verdict on a visit of faces of these colours, a second apart."""
    classifier = loaded(folder, **card)
    judge = VerdictRule(VerdictConfig(), ClassThresholds.from_card(classifier.card))
    evidence = Evidence()
    for at, recognition in enumerate(recognised(classifier, *colours)):
        evidence = evidence.add(recognition, quality(), float(at))
    return judge.decide(evidence)


def test_everybody_it_knows_by_name_gets_a_score_and_the_unknown_class_none(tmp_path):
    (red,), (green,) = recognised(loaded(tmp_path), RED), recognised(loaded(tmp_path), GREEN)
    assert red.scores.keys() == {"Anna", "Tom"}
    assert red.scores["Anna"] > 0.3 > -0.9 > red.scores["Tom"]
    assert green.ranked()[0][0] == "Tom"


def test_whom_the_unknown_class_takes_is_like_nobody(tmp_path):
    (blue,) = recognised(loaded(tmp_path), BLUE)
    assert max(blue.scores.values()) < -0.9


def test_an_embedding_comes_along_for_visitors_but_scores_are_no_cosines_of_it(tmp_path):
    (red,) = recognised(loaded(tmp_path), RED)
    assert (red.model_sha256, red.cosines) == ("e" * 64, False)
    np.testing.assert_allclose(red.embedding, [0.6, 0.8])
    (red,) = recognised(loaded(tmp_path), RED, doubts=lambda _: ("a cat",))
    assert red.doubts == ("a cat",)


def test_scores_are_averaged_over_a_visit_whatever_the_embeddings(tmp_path):
    classifier = loaded(tmp_path)
    evidence = Evidence()
    one, other = recognised(classifier, RED, BLUE)
    evidence = evidence.add(one, quality(), 0.0).add(other, quality(), 100.0)
    expected = (one.scores["Anna"] + other.scores["Anna"]) / 2
    assert evidence.ranked()[0][1].score == pytest.approx(expected, abs=1e-6)


def test_a_visit_of_the_three_kinds_gets_the_three_verdicts(tmp_path):
    known = judged(tmp_path, RED, RED, RED)
    assert (known.kind, known.name) == (VerdictKind.KNOWN, "Anna")
    assert judged(tmp_path, BLUE, BLUE).kind is VerdictKind.STRANGER
    assert judged(tmp_path, RED).kind is VerdictKind.UNIDENTIFIED


def test_eleven_faces_of_nobody_and_one_of_anna_are_not_anna(tmp_path):
    assert judged(tmp_path, *[BLUE] * 11, RED).kind is VerdictKind.STRANGER


def test_a_face_between_two_names_gets_neither(tmp_path):
    verdict = judged(tmp_path, *[coloured(150, 150, 10)] * 3)
    assert verdict.kind is not VerdictKind.KNOWN


def test_where_strangers_came_as_near_nobody_is_named_however_sure_the_network_is(tmp_path):
    verdict = judged(tmp_path, RED, RED, RED, classifier={"scores": {"Anna": WIDE, "Tom": WIDE}})
    assert verdict.kind is VerdictKind.UNIDENTIFIED


def test_no_name_is_given_below_the_threshold_of_the_card(tmp_path):
    verdict = judged(tmp_path, RED, RED, RED, thresholds={"unknown": 0.45})
    assert verdict.kind is VerdictKind.UNIDENTIFIED


def test_the_loose_crop_it_learnt_on_is_what_it_is_shown(tmp_path):
    """The face itself is blue; only who sees its surroundings sees red."""
    picture = np.full((400, 400, 3), (230, 20, 20), np.uint8)
    picture[170:230, 170:230] = (40, 40, 200)
    classifier = loaded(tmp_path, loose=True)
    recogniser = ClassifierRecognizer(classifier, embedder := Embedding(), "e" * 64)
    face = face_at(200, 200, 120)
    aligned, recognition = analyse_face(picture, face, ANYTHING, recogniser)
    crop = square_crop(picture, face.box, margin=0.25, size=(64, 64))
    assert recognition.scores == classifier.scores(crop)
    assert recognition.ranked()[0][0] == "Anna"
    assert embedder.saw[0].shape == (112, 112, 3)
    assert aligned.loose is None  # it must not be kept with the visit


def test_a_crop_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the input of this classifier is uint8"):
        loaded(tmp_path).classify(coloured(1, 2, 3, 64))
    assert loaded(tmp_path, loose=True).crop_context(RED, Box(0, 0, 50, 50)).shape == (64, 64, 3)
    assert loaded(tmp_path).crop_context(RED, Box(0, 0, 50, 50)) is None


def test_a_dark_face_is_brightened_only_where_it_learnt_on_such(tmp_path):
    dark = coloured(24, 4, 4)
    as_taken, learnt_so = loaded(tmp_path), loaded(tmp_path / "b", classifier={"light": "brightened"})
    assert learnt_so.scores(dark) == as_taken.scores(brightened(dark)) != as_taken.scores(dark)


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        ({"task": "face-embedding"}, "is not a face classifier"),
        ({"alignment": None}, "does not describe its input"),
        ({"labels": ["Anna", "Tom"]}, "names no person, or lists an unknown class"),
        ({"labels": ["Anna", "Tom", "unknown", "Eve"]}, "colours has no measured scores for Eve"),
        ({"labels": ["Anna", "Anna", "unknown"]}, "each once"),
        ({"labels": ["Anna", "anna", "unknown"]}, "have names that differ only in case"),
        ({"labels": ["Anna", "a/b", "unknown"]}, "cannot be a name"),
        ({"labels": ["unknown"]}, "two classes"),
        ({"classifier": {"unknown": ["Anna", "Tom", "unknown"]}}, "names no person"),
        ({"classifier": {"scores": {}}}, "colours has no measured scores for Anna, Tom"),
        ({"classifier": {"strangers": 0}}, "colours has no measured scores for strangers"),
    ],
)
def test_a_card_that_leaves_something_open_is_refused_with_what_to_do(tmp_path, card, complaint):
    with pytest.raises(ModelError, match=complaint) as refused:
        loaded(tmp_path, **card)
    assert refused.value.hint


def test_labels_that_are_not_as_many_as_outputs_are_refused(tmp_path):
    with pytest.raises(ModelError, match="labels for outputs"):
        loaded(tmp_path, labels=["Anna", "unknown"], classifier={"scores": {"Anna": WIDE}})


def test_a_loose_model_that_says_it_is_aligned_is_refused(tmp_path):
    from facesecure.vision.images.align import ALIGNMENT

    with pytest.raises(ModelError, match="an aligned face has 112x112"):
        loaded(tmp_path, loose=True, classifier={"crop": None}, alignment=ALIGNMENT)


def test_a_crop_cut_another_way_is_refused(tmp_path):
    crop = {"version": "loose-v0", "margin": 0.1, "detector": "mtcnn"}
    with pytest.raises(ModelError, match="cut as 'loose-v0'"):
        loaded(tmp_path, loose=True, classifier={"crop": crop})


def test_damaged_bytes_are_refused(tmp_path):
    path = classifier_in(tmp_path)
    path.write_bytes(path.read_bytes() + b"!")
    assert hashlib.sha256(path.read_bytes()).hexdigest() not in (tmp_path / "colours.json").read_text()
    with pytest.raises(ModelError, match="damaged"):
        load_model(path)


def test_the_embedder_says_what_to_set_when_it_is_given_a_classifier(tmp_path):
    with pytest.raises(ModelError) as refused:
        ModelEmbedder(load_model(classifier_in(tmp_path)))
    assert 'kind = "classifier"' in refused.value.hint
