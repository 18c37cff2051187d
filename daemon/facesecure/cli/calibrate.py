"""``facesecure calibrate``: what recognition may expect of this household, and the thresholds that follow."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.recognition.calibration import Calibration, Estimate, PersonCalibration
    from facesecure.recognition.calibrator import HouseholdMember
    from facesecure.storage.store import Store
    from facesecure.vision.inference.model_card import Model

FalseAccept = Annotated[
    str | None,
    typer.Option(
        metavar="RATE",
        help="Strangers taken for one of you: 1/1000, 0.001 or 0.1%. Default: [verdict] false_accept.",
    ),
]
Chart = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where to draw the chart. Default: calibration.png in the state.")
]


def calibrate(
    context: typer.Context, false_accept: FalseAccept = None, chart: Chart = None, json: Json = False
) -> None:
    """Set everybody's threshold for the rate of strangers you allow, and tell what to expect.

    From what strangers look like to the model, from how alike you are, and from strangers you marked. The figures are
    for one clear face; a visit with several is surer. `facesecure run` uses the result at once. Whoever is enrolled or
    changed later is judged by the safe default until you calibrate again.
    """
    from facesecure.cli import calibration_chart
    from facesecure.recognition.calibration import CHART_NAME
    from facesecure.vision.inference.model_card import load_model

    config = settings_of(context).config()
    _require_embeddings(config)
    state = state_of(config)
    rate = config.verdict.false_accept if false_accept is None else rate_of(false_accept)
    model = load_model(config.recognizer.model, state)
    with open_store(config) as store:
        made = _calibration(store, model, rate)
    drawn = chart or state / CHART_NAME
    calibration_chart.draw(made, drawn)
    saved = made.save(state)
    if json:
        output.emit_json({"file": saved, "chart": drawn, **_document(made)})
    else:
        _show(made, drawn)


def _require_embeddings(config: FacesecureConfig) -> None:
    from facesecure.domain.errors import ModelError

    if config.recognizer.kind == "classifier":
        raise ModelError(
            f"{config.recognizer.model} is a classifier, and its thresholds come with its card",
            "`facesecure doctor` says what they promise; they are measured anew by "
            "`facesecure-train evaluate classifier --write-card`",
        )


def rate_of(text: str) -> float:
    """1/1000, 0.001 or 0.1% as 0.001. Raises UsageError unless it is a rate above 0 and at most a half."""
    from facesecure.domain.errors import UsageError

    words = text.strip()
    try:
        if words.endswith("%"):
            rate = float(words[:-1]) / 100
        else:
            part, _, whole = words.partition("/")
            rate = float(part) / float(whole or 1)
    except (ValueError, ZeroDivisionError):
        rate = -1.0
    if not 0 < rate <= 0.5:
        raise UsageError(f"--false-accept {text!r} is no rate of strangers", "say 1/1000, 0.001 or 0.1%")
    return rate


def _calibration(store: Store, model: Model, rate: float) -> Calibration:
    from facesecure.recognition.calibration import Calibration
    from facesecure.recognition.calibrator import Calibrator, total
    from facesecure.recognition.impostor_model import impostor_model_of
    from facesecure.recognition.score_model import ScoreModel

    revision = store.people_revision()
    household = _household(store, model)
    card = model.card
    calibrator = Calibrator(impostor_model_of(model), ScoreModel.from_card(card), rate, card.genuine_quantiles)
    people = calibrator.calibrate(household)
    return Calibration(
        model_sha256=model.sha256,
        people_revision=revision,
        made_at=datetime.now(UTC),
        false_accept=rate,
        strangers_marked=len(store.marked_strangers(model.sha256)),
        false_accepts=total([person.false_accepts for person in people.values()]),
        people=people,
    )


def _household(store: Store, model: Model) -> list[HouseholdMember]:
    """Everybody as this model sees them. Refuses where nobody is enrolled, or somebody by another model only."""
    import numpy as np

    from facesecure.domain.errors import EnrolmentError, ModelError
    from facesecure.recognition.calibrator import HouseholdMember
    from facesecure.recognition.thresholds import by_name

    names = [person.name for person in store.people()]
    if not names:
        raise EnrolmentError("nobody is enrolled, so that there is nothing to calibrate", "facesecure enroll NAME ...")
    templates = by_name(store.templates(), model.sha256)
    foreign = [name for name in names if name not in templates]
    if foreign:
        what = f"enrolled with another model than {model.card.name}: {', '.join(foreign)}"
        raise ModelError(what, "enrol them again with this model, then calibrate")
    decoys = store.decoys(model.sha256)
    return [
        HouseholdMember(
            name,
            np.stack([face.embedding for face in store.faces_of(name) if face.model_sha256 == model.sha256]),
            templates[name],
            [decoy.embedding[None] for decoy in decoys if decoy.name == name],
        )
        for name in names
    ]


# What is printed -------------------------------------------------------------------------------------------------

_COLUMNS = ("person", "faces", "threshold", "strangers let in", "misses", "looks most like", "one more picture")


def _show(made: Calibration, chart: Path) -> None:
    rows = [_row(name, person) for name, person in made.people.items()]
    output.table(_COLUMNS, rows, right=("faces", "threshold"))
    output.say("")
    asked = f"asked for {one_in(made.false_accept)}"
    output.say(f"One stranger's clear face passes for one of you {_rate(made.false_accepts)}; {asked}.")
    for name, person in made.people.items():
        if person.raised_by:
            output.say(f"{name}'s threshold is raised: {person.raised_by} looks alike.")
    output.say(f"chart: {chart}")


def _row(name: str, person: PersonCalibration) -> tuple[object, ...]:
    nearest = f"{person.nearest} ({person.nearest_score:.2f})" if person.nearest else None
    more = f"{person.one_more.likeness:+.3f} likeness, misses {_percent(person.one_more.misses)} %"
    misses = person.misses
    missed = f"{_percent(misses.value)} % ({_percent(misses.low)} to {_percent(misses.high)})"
    return name, person.faces, person.threshold, _rate(person.false_accepts), missed, nearest, more


def _rate(rate: Estimate) -> str:
    """1 in 40,000 (6,000 to 290,000)."""
    return f"{one_in(rate.value)} ({number(rate.high)} to {number(rate.low)})"


def one_in(chance: float) -> str:
    return f"1 in {number(chance)}"


def number(chance: float) -> str:
    """How many it takes for one, to two figures; beyond a thousand million nobody measured anything."""
    return f"{_times(chance):,}"


def _times(chance: float) -> int:
    return int(float(f"{1 / max(chance, 1e-9):.2g}"))


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 0.0995 else f"{100 * share:.0f}"


def _document(made: Calibration) -> dict[str, Any]:
    """The calibration, and of every rate of strangers also how many it takes for one."""
    document = made.model_dump()
    document["false_accepts"] = _with_one_in(made.false_accepts)
    for name, person in made.people.items():
        document["people"][name]["false_accepts"] = _with_one_in(person.false_accepts)
    return document


def _with_one_in(rate: Estimate) -> dict[str, Any]:
    return {**rate.model_dump(), "one_in": _times(rate.value), "one_in_between": [_times(rate.high), _times(rate.low)]}
