"""What was measured of corrupted faces is printed, also without a page: one line for each corruption."""

from facesecure_training.cli import evaluate, evaluate_classifier
from facesecure_training.evaluation.classification import ClassifierStep
from facesecure_training.evaluation.robustness import PairStep


def test_of_pairs_the_worst_strength_of_each_corruption_is_printed(capsys):
    evaluate._print_robustness(
        {"blur": [PairStep(0, 1, 0.01), PairStep(0.05, 0.5, 0.02)], "pose": [PairStep(30, 1, 0)]}
    )
    assert capsys.readouterr().out.splitlines() == [
        "corrupted  by blur 0.05: 50.0% of the same person and 2.0% of different people accepted",
        "corrupted  by pose 30: 100.0% of the same person and 0.0% of different people accepted",
    ]


def test_of_a_classifier_the_worst_strength_of_each_corruption_is_printed(capsys):
    evaluate_classifier._print_robustness({"blur": [ClassifierStep(0.05, 0.5, 0.02), ClassifierStep(0, 1, 0.01)]})
    assert capsys.readouterr().out == "corrupted by blur 0.05: 50.0% correctly named, 2.0% of strangers named\n"
