"""The page of ``facesecure-train evaluate verification --report``."""

from __future__ import annotations

import numpy as np

from facesecure_training.evaluation.pages import charts
from facesecure_training.evaluation.pages.classifier_page import figure, rates_table, robustness_figures
from facesecure_training.evaluation.pages.page import Figure, Page
from facesecure_training.evaluation.robustness import to_measure
from facesecure_training.evaluation.verification_report import VerificationResult


def page_of(found: VerificationResult, name: str, command: str) -> Page:
    """Return the page of ``found``."""
    report = found.report
    page = Page(
        f"Verification by {name}",
        f"{report.pairs:,} pairs of {report.photos:,} photos; no face in {report.photos_without_face:,} photos, whose "
        f"{report.pairs_without_face:,} pairs count as errors. Compared by {found.measure}.",
        command,
    )
    page.figures += [
        (f"{report.accuracy:.2f} %", "accuracy, ten folds", f"standard deviation {report.sd:.2f} over folds"),
        (f"{found.rates.eer:.2%}", "equal error rate", f"area under the curve {found.rates.auc:.4f}"),
        *(figure(one.tar, f"same people accepted at {one.far:.1%} of others") for one in found.rates.accepted),
    ]
    page.tables += [rates_table({"": found.rates}), _thresholds(found)]
    page.pictures += _figures(found, name)
    return page


def _thresholds(found: VerificationResult) -> tuple[str, list[str], list[list[str]]]:
    rows = [
        [what, f"{one.threshold:.4f}", str(one.accuracy), str(one.false_accepts), str(one.false_rejects)]
        for what, one in (("chosen on validation pairs", found.chosen), ("given by --rule", found.fixed))
        if one is not None
    ]
    folds = ["mean of the folds", f"{found.report.threshold:.4f}", f"{found.report.accuracy:.2f} %", "", ""]
    heads = ["", found.measure, "accuracy", "others accepted", "same people refused"]
    return "Thresholds", heads, [folds, *rows]


def _figures(found: VerificationResult, name: str) -> list[Figure]:
    values = [
        [
            to_measure(found.measure, score) if score is not None else np.nan
            for score, same in zip(found.scores, found.same, strict=True)
            if same is truth
        ]
        for truth in (True, False)
    ]
    spread = charts.histogram(values[0], values[1], found.threshold, found.measure, ("one person", "two people"))
    return [
        Figure("histogram", spread, f"By {found.measure}; each kind as shares."),
        Figure("roc", charts.roc({name: found.rates}), "Two people accepted as one, and one person recognised."),
        Figure("det", charts.det({name: found.rates}), "The same, as errors."),
        *robustness_figures(found.robustness, "accepted", "same person accepted", found.sample),
    ]
