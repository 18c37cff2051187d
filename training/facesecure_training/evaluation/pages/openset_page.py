"""The page of ``facesecure-train evaluate openset --report``."""

from __future__ import annotations

import numpy as np

from facesecure_training.evaluation import openset
from facesecure_training.evaluation.openset import DecisionFigures
from facesecure_training.evaluation.openset_report import OURS, OpensetReport
from facesecure_training.evaluation.pages import charts
from facesecure_training.evaluation.pages.classifier_page import rates_table
from facesecure_training.evaluation.pages.page import Figure, Page
from facesecure_training.evaluation.rates import Rates
from facesecure_training.evaluation.robustness import to_measure


def page_of(report: OpensetReport, name: str, command: str) -> Page:
    """Return the page of ``report``."""
    found = {way: openset.rates_of(some) for way, some in report.curves.items()}
    page = Page(
        f"Open set: {name} in households",
        f"{report.faces:,} faces of families and {report.strangers:,} of strangers, drawn from "
        f"{report.people:,} people; no face in {report.faceless:,} of {report.photos:,} photos. Compared by "
        f"{report.measure}, one photo at a time.",
        command,
    )
    page.figures += [
        (
            f"{one.named.value:.2f} %",
            f"family named when {one.asked:.2%} of strangers are let in",
            f"{one.named.low:.2f} to {one.named.high:.2f} (95 %, over households)",
        )
        for one in report.ways[OURS]
    ]
    page.figures.append((f"{found[OURS].eer:.2%}", "equal error rate", f"area under the curve {found[OURS].auc:.4f}"))
    page.tables.append(rates_table(found))
    if report.judged:
        page.tables.append(_calibrated(report))
    page.pictures += _figures(report, found)
    return page


def _calibrated(report: OpensetReport) -> tuple[str, list[str], list[list[str]]]:
    rows = [
        _row(what, one)
        for what, some in (("thresholds alone", report.thresholds), ("whole verdict rule", report.judged))
        for one in some
    ]
    heads = ["", "asked for", "strangers let in", "family named", "family misnamed"]
    return "Calibrated for each household, as the daemon does it", heads, rows


def _row(what: str, one: DecisionFigures) -> list[str]:
    named = f"{one.named.value:.2f} % ({one.named.low:.2f} to {one.named.high:.2f})"
    return [what, "" if one.asked is None else f"{one.asked:.2%}", f"{one.got:.4%}", named, f"{one.misnamed:.3f} %"]


def _figures(report: OpensetReport, found: dict[str, Rates]) -> list[Figure]:
    ours = report.curves[OURS]
    family = np.concatenate([np.where(one.right, one.family, np.nan) for one in ours])
    scores = [
        [to_measure(report.measure, float(score)) for score in some]
        for some in (family, np.concatenate([one.strangers for one in ours]))
    ]
    threshold = to_measure(report.measure, found[OURS].accepted[-1].threshold)
    spread = charts.histogram(scores[0], scores[1], threshold, report.measure, ("family", "strangers"))
    return [
        Figure(
            "histogram",
            spread,
            "Scores to the nearest person of the household; the threshold lets 0.1 % of strangers in.",
        ),
        Figure("roc", charts.roc(found), "Strangers let in, and family correctly named."),
        Figure("det", charts.det(found), "The same, as errors."),
    ]
