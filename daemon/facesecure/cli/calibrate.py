"""``facesecure calibrate``: fit the acceptance thresholds to the household, and show the expected error rates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of
from facesecure.util.rates import false_accept_warning, number, one_in, parse_rate, times

if TYPE_CHECKING:
    from facesecure.recognition.calibration import Calibration, Estimate, PersonCalibration

FalseAccept = Annotated[
    str | None,
    typer.Option(
        metavar="RATE",
        help="Share of strangers accepted as one of you: 1/1000, 0.001 or 0.1%. Default: [verdict] false_accept.",
    ),
]
Chart = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where to write the chart; needs the extra charts. Default: calibration.png in the state directory.",
    ),
]
_COLUMNS = ("person", "faces", "threshold", "strangers let in", "misses", "looks most like", "one more image")


def calibrate(
    context: typer.Context, false_accept: FalseAccept = None, chart: Chart = None, json: Json = False
) -> None:
    """Fit the thresholds to your household, and show what to expect.

    Sets each person's threshold for the rate of false accepts you allow, from how strangers score with the model,
    how similar the people of the household are, and the strangers you marked. The rates are for one clear face; a
    visit with several faces is more certain. `facesecure run` applies the result at once. For a person who is
    enrolled or changed later, the safe default holds until you calibrate again.
    """
    from facesecure.recognition.calibration import calibration_words
    from facesecure.services.calibration import calibrate as calibrate_household
    from facesecure.services.calibration import load_calibrated_model, save_calibration
    from facesecure.services.calibration_chart import require_charts
    from facesecure.storage.signed_documents import SignedDocuments

    config = settings_of(context).config()
    state_dir, rate = state_of(config), config.verdict.false_accept if false_accept is None else rate_of(false_accept)
    if chart:
        require_charts()
    model = load_calibrated_model(config, state_dir)
    with open_store(config) as store:
        calibration = calibrate_household(store, model, rate)
        before = calibration_words(SignedDocuments(state_dir))
        path = _drawn(calibration, chart, state_dir)
        saved = save_calibration(store, calibration, state_dir)
    if odd := false_accept_warning(rate):
        output.note(f"warning: {odd}")
    if json:
        output.emit_json({"file": saved, "chart": path, **_document(calibration)})
    else:
        _show(calibration, path)
        if " at the door " in before:
            output.say(f"It takes the place of the one {before}.")


def _drawn(calibration: Calibration, chart: Path | None, state_dir: Path) -> Path | None:
    """Draw the chart and return its path; None, with a note, if none was asked for and matplotlib is missing."""
    from facesecure.cli.files import replacing
    from facesecure.domain.errors import FacesecureError
    from facesecure.recognition.calibration import CHART_NAME
    from facesecure.services.calibration_chart import draw_chart, require_charts

    try:
        require_charts()
    except FacesecureError as error:
        output.note(f"no chart is drawn: {error.message}; {error.hint}")
        (state_dir / CHART_NAME).unlink(missing_ok=True)  # one of an earlier calibration would be wrong
        return None
    path = chart or state_dir / CHART_NAME
    with replacing(path, binary=True) as file:
        file.write(draw_chart(calibration))
    return path


def rate_of(text: str) -> float:
    """Return the rate that ``text`` means, as the configuration file does. Raises UsageError if it means none."""
    from facesecure.domain.errors import UsageError

    try:
        return parse_rate(text)
    except ValueError as error:
        raise UsageError(f"--false-accept {error}") from error


def _show(calibration: Calibration, chart: Path | None) -> None:
    rows = [_row(name, person) for name, person in calibration.people.items()]
    output.table(_COLUMNS, rows, right=("faces", "threshold"))
    output.say("")
    expected = _rate(calibration.false_accepts)
    output.say(
        f"One stranger's clear face passes for one of you {expected}; you allowed {one_in(calibration.false_accept)}."
    )
    _show_cost(calibration)
    for name, person in calibration.people.items():
        if person.raised_by:
            output.say(f"{name}'s threshold is raised: {person.raised_by} looks alike.")
    if chart:
        output.say(f"chart: {chart}")


def _show_cost(calibration: Calibration) -> None:
    from facesecure.services.calibration import larger_gallery

    cost = larger_gallery(calibration)
    output.say(
        f"The more people this door knows, the stricter it is with each: with {2 * cost.people} in place of "
        f"{cost.people}, thresholds rise by about {cost.rise:.3f}, and misses from {_percent(cost.misses)} % to "
        f"{_percent(cost.more_misses)} %."
    )


def _row(name: str, person: PersonCalibration) -> tuple[object, ...]:
    nearest = f"{person.nearest} ({person.nearest_score:.2f})" if person.nearest else None
    more = f"{person.one_more.likeness:+.3f} similarity, misses {_percent(person.one_more.misses)} %"
    misses = person.misses
    missed = f"{_percent(misses.value)} % ({_percent(misses.low)} to {_percent(misses.high)})"
    return name, person.faces, person.threshold, _rate(person.false_accepts), missed, nearest, more


def _rate(rate: Estimate) -> str:
    """Format a rate with its 95 % interval: 1 in 40,000 (6,000 to 290,000)."""
    return f"{one_in(rate.value)} ({number(rate.high)} to {number(rate.low)})"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 0.0995 else f"{100 * share:.0f}"


def _document(calibration: Calibration) -> dict[str, Any]:
    """Return the calibration with the "one in" figures of each rate of false accepts."""
    document = calibration.model_dump()
    document["false_accepts"] = _with_one_in(calibration.false_accepts)
    for name, person in calibration.people.items():
        document["people"][name]["false_accepts"] = _with_one_in(person.false_accepts)
    return document


def _with_one_in(rate: Estimate) -> dict[str, Any]:
    return {**rate.model_dump(), "one_in": times(rate.value), "one_in_between": [times(rate.high), times(rate.low)]}
