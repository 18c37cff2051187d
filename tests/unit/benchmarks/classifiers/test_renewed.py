"""Networks of the report that are trained anew take the place of those in the results; the others stay."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report_2020, training_page
from benchmarks.classifiers import manifest, searching
from benchmarks.classifiers.experiment import Experiment
from benchmarks.classifiers.people import Division
from benchmarks.classifiers.plan import Budget
from benchmarks.steps import Steps

BEFORE = json.loads((training_page.RESULTS / "report.json").read_text())
BEFORE["budget"] |= {"households": 5, "light_households": 1}
BEFORE.pop("again", None)


def run(families: list[str]) -> dict[str, Any]:
    """Return results of ``families`` alone, in which every share is 0.5."""

    def half(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: 0.5 if name in ("value", "low", "high") else half(one) for name, one in found.items()}
        return found

    made: dict[str, Any] = copy.deepcopy(BEFORE)
    for part in report_2020.BY_NETWORK:
        made[part] = {family: half(made[part][family]) for family in families}
    made["budget"]["light_households"] = 3
    made["trainings"] = {"count": 7, "minutes": 8.0}
    made["about"] = {**made["about"], "command": f"again {families}"}
    return made


def test_what_was_trained_anew_is_taken_and_the_rest_is_kept() -> None:
    found = report_2020.renewed(BEFORE, run(["compact cnn"]))
    assert list(found["table"]) == list(BEFORE["table"]), "in the order of the page"
    assert found["table"]["compact cnn"]["20"]["accuracy"]["value"] == 0.5
    assert found["table"]["hugonet"] == BEFORE["table"]["hugonet"]
    assert found["about"] == BEFORE["about"]


def test_the_page_names_each_later_run_and_its_households() -> None:
    found = report_2020.renewed(BEFORE, run(["compact cnn", "compact head"]))
    page = " ".join("\n".join(report_2020.page(found)).split())
    assert "compact cnn and compact head, in a later run: `again" in page
    assert "7 trainings, 8 minutes." in page
    assert "with one household (hugonet) and 3 households (compact cnn and compact head), against" in page


def test_a_run_of_its_own_is_named_by_itself() -> None:
    once = report_2020.renewed(BEFORE, run(["compact cnn"]))
    found = report_2020.renewed(once, run(["compact head"]))
    assert set(found["again"]) == {"compact cnn", "compact head"}
    page = "\n".join(report_2020.page(found))
    assert "compact cnn, in a later run:" in page
    assert "compact head, in a later run:" in page


@pytest.mark.parametrize("changed", [{"households": 2}, {"negatives": (20,)}])
def test_results_of_other_numbers_are_not_mixed(changed: dict[str, Any]) -> None:
    chosen = Budget(**{"households": 5, "negatives": tuple(BEFORE["budget"]["negatives"]), **changed})
    with pytest.raises(SystemExit, match="measure all networks anew"):
        report_2020.require_same(BEFORE, BEFORE["people"], chosen)


def test_results_of_other_people_are_not_mixed() -> None:
    chosen = Budget(households=5, negatives=tuple(BEFORE["budget"]["negatives"]))
    report_2020.require_same(BEFORE, BEFORE["people"], chosen)
    with pytest.raises(SystemExit, match="measure all networks anew"):
        report_2020.require_same(BEFORE, {"digest": "other"}, chosen)


@pytest.mark.parametrize(
    ("given", "searched"),
    [
        ([], ("hugonet", "compact cnn")),
        (["--search", "hugonet"], ("hugonet",)),
        (["--only", "hugonet"], ()),
        (["--only", "hugonet", "--search", "hugonet"], ("hugonet",)),
    ],
)
def test_settings_are_searched_anew_only_on_request(given: list[str], searched: tuple[str, ...]) -> None:
    options = report_2020.parser().parse_args(["--out", "out", *given])
    assert report_2020.budget(options).searched == searched


def test_settings_that_are_not_searched_are_those_found_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OfNobody(Experiment):
        def __init__(self, budget: Budget) -> None:
            self.steps, self.photos, self.budget = Steps(tmp_path), {}, budget
            self.division = Division((), (), (), (), (), ())

        def _arrange(self, *_: object) -> Path:
            return tmp_path

    monkeypatch.setattr(manifest, "search_manifest", lambda *_: [])
    monkeypatch.setattr(searching, "search", lambda _, name, *__: {"settings": {"lr": name}})
    experiment = OfNobody(Budget(searched=("compact cnn",)))
    found = experiment.search({"hugonet": BEFORE["search"]["hugonet"], "compact cnn": {"settings": {"lr": 1}}})
    assert found == {
        "hugonet": BEFORE["search"]["hugonet"],
        "compact cnn": {"settings": {"lr": "compact cnn"}},
        "compact head": {"settings": {}},
    }


def test_there_must_be_results_to_renew(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no report\.json"):
        report_2020.main(["--only", "compact cnn", "--out", str(tmp_path / "out"), "--results", str(tmp_path)])
    assert not (tmp_path / "out/steps.json").exists()
