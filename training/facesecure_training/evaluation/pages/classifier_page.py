"""The page of ``facesecure-train evaluate classifier --report``."""

from __future__ import annotations

from facesecure_training.evaluation.classification import ClassifierFigures, ClassifierReport
from facesecure_training.evaluation.pages import charts
from facesecure_training.evaluation.pages.page import Figure, Page
from facesecure_training.evaluation.rates import Rates, Share


def page_of(report: ClassifierReport, command: str) -> Page:
    """Return the page of ``report``."""
    strict, plain = report.with_threshold, report.plain
    page = Page(
        f"Classifier {report.network}",
        f"{report.pictures:,} faces of {', '.join(report.labels)}; {report.stranger_faces:,} faces of "
        f"{report.strangers:,} people not seen in training. Threshold {report.threshold:.4f}, chosen on "
        f"{report.chosen_on} so that {report.asked:.2%} of strangers' faces are named.",
        command,
    )
    page.figures += [
        figure(plain.accuracy, "accuracy by the likeliest class"),
        figure(plain.false_accepts, "strangers named, by the likeliest class"),
        figure(strict.named, "correctly named, with the threshold"),
        figure(strict.false_accepts, "strangers named, with the threshold"),
        (f"{report.rates.eer:.2%}", "equal error rate", f"area under the curve {report.rates.auc:.4f}"),
    ]
    page.tables += [_rules(plain, strict), rates_table({"": report.rates})]
    page.pictures += _figures(report)
    return page


def figure(one: Share, what: str) -> tuple[str, str, str]:
    """Return a share as a figure of a page."""
    return f"{one.value:.2%}", what, f"{one.low:.2%} to {one.high:.2%} (95 %); {one.right:,} of {one.count:,}"


def rates_table(found: dict[str, Rates]) -> tuple[str, list[str], list[list[str]]]:
    """Return a table with one row per false accept rate, for each way of comparing."""
    rows = [
        [
            name,
            f"{one.far:.1%}",
            f"{one.threshold:.4f}",
            str(one.tar),
            str(one.got),
            "" if one.shown else "too few others",
        ]
        for name, rates in found.items()
        for one in rates.accepted
    ]
    heads = ["", "false accept rate", "threshold", "genuine accepted", "others accepted", ""]
    return "True accept rates", heads, rows


def robustness_figures(report_kinds: object, good: str, right: str, sample: object) -> list[Figure]:
    """Return the robustness curves, and examples of each strength on ``sample``; nothing if not measured."""
    if not report_kinds:
        return []
    curves = charts.robustness(report_kinds, good, right)  # type: ignore[arg-type]
    found = [Figure("robustness", curves, "One property degraded at a time; dotted: unchanged.", wide=True)]
    if sample is not None:
        shown = charts.corruption_examples(sample)  # type: ignore[arg-type]
        found.append(Figure("examples", shown, "Examples of each strength.", wide=True))
    return found


def _rules(plain: ClassifierFigures, strict: ClassifierFigures) -> tuple[str, list[str], list[list[str]]]:
    rows = [
        [what, str(getattr(plain, field)), str(getattr(strict, field))]
        for what, field in (
            ("accuracy over all classes", "accuracy"),
            ("people of a class, correctly named", "named"),
            ("people of a class, named as another", "misnamed"),
            ("people not seen in training, named", "false_accepts"),
        )
    ]
    return "Two rules", ["", "likeliest class", "with the threshold"], rows


def _figures(report: ClassifierReport) -> list[Figure]:
    scores = charts.histogram(
        report.genuine, report.impostor, report.threshold, "score (log-odds, -1 to 1)", ("right name", "never seen")
    )
    found = [
        Figure("confusion", charts.confusion(report.rows, report.columns, report.confusion), "By the likeliest class."),
        Figure("histogram", scores, "The best score of any person with a name."),
        Figure("roc", charts.roc({report.network: report.rates}), "Strangers named, and people correctly named."),
        Figure("det", charts.det({report.network: report.rates}), "The same, as errors."),
    ]
    nearest = report.wrongly_named
    sample = nearest[0][2] if nearest else None
    found += robustness_figures(report.robustness, "named", "correctly named", sample)
    if nearest:
        shown = charts.faces([(f"{score:+.2f} {name}", crop) for name, score, crop in nearest])
        caption = "The strangers nearest to a name, with that name and the score."
        found.append(Figure("nearest", shown, caption, wide=True))
    return found
