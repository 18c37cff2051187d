"""A search shared by processes, one of which dies; and its report."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from facesecure.domain.errors import FacesecureError, ImageError, UsageError

pytest.importorskip("optuna", reason="needs the [training] extra")
pytestmark = [pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")]
from facesecure_training.cli.search import SearchOptions, search  # noqa: E402
from facesecure_training.recipes.settings import ClassifierSettings  # noqa: E402
from facesecure_training.search import report, study  # noqa: E402
from facesecure_training.search.space import SearchSpace  # noqa: E402
from support.faults.household import wait_until  # noqa: E402

WORKER = """
import sys, time, warnings
warnings.simplefilter("ignore")
from facesecure_training.search import study
url, number, hangs = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "hangs"
found = study.open_study(url, "s", resume=True, worker=number, heartbeat_s=1, grace_s=2)
def tried(trial):
    rate = trial.suggest_float("lr", 1e-7, 1e-1, log=True)
    print("begun", flush=True)
    time.sleep(60 if hangs else 2)  # eight of these by two outlast the grace period
    return rate
study.run(found, tried, 8)
"""


def tried(trial) -> float:
    settings = SearchSpace().propose(trial, ClassifierSettings())
    return settings.lr + settings.width


def filled(url: str, trials: int = 6, **options):
    found = study.open_study(url, "s", resume=False, **options)
    study.run(found, tried, trials)
    return found


def url(folder) -> str:
    return f"sqlite:///{folder}/search.db"


def heartbeats(folder) -> int:
    with closing(sqlite3.connect(folder / "search.db")) as database:
        return int(database.execute("SELECT count(*) FROM trial_heartbeats").fetchone()[0])


def test_a_trial_that_another_worker_has_ended_meanwhile_does_not_end_this_one(tmp_path, caplog):
    found = study.open_study(url(tmp_path), "s", resume=False)
    other = study.open_study(url(tmp_path), "s", resume=True)

    def tried_twice(trial) -> float:
        if trial.number == 1:
            other.tell(trial.number, 0.5)
        return tried(trial)

    study.run(found, tried_twice, 4)
    assert [trial.state.name for trial in found.get_trials()] == ["COMPLETE"] * 4
    assert found.get_trials()[1].value == 0.5
    assert caplog.messages == ["trial 1 was ended by another worker as well; its result here is left out"]


def test_an_error_of_what_follows_a_trial_ends_the_search(tmp_path):
    found = study.open_study(url(tmp_path), "s", resume=False)

    def wrong(trial) -> None:
        raise ValueError("the table has no such column")

    with pytest.raises(ValueError, match="no such column"):
        study.run(found, tried, 4, wrong)
    assert len(found.get_trials()) == 1


def test_an_error_of_the_trial_itself_ends_the_search(tmp_path):
    def wrong(trial) -> float:
        raise ValueError(trial.number)

    with pytest.raises(ValueError, match="0"):
        study.run(study.open_study(url(tmp_path), "s", resume=False), wrong, 4)


@pytest.mark.slow
def test_a_worker_killed_loses_its_trial_to_another_which_finishes_the_search(tmp_path):
    study.open_study(url(tmp_path), "s", resume=False)
    command = [sys.executable, "-c", WORKER, url(tmp_path)]
    hung = subprocess.Popen([*command, "1", "hangs"], stdout=subprocess.PIPE, text=True)
    assert hung.stdout is not None
    assert hung.stdout.readline() == "begun\n"
    wait_until(lambda: heartbeats(tmp_path), "the first heartbeat, without which nobody misses it")
    both = [subprocess.Popen([*command, str(number), "works"], stdout=subprocess.DEVNULL) for number in (2, 3)]
    hung.send_signal(signal.SIGKILL)
    hung.wait()
    hung.stdout.close()
    assert [one.wait(120) for one in both] == [0, 0]
    trials = study.open_study(url(tmp_path), "s", resume=True).get_trials()
    states = [trial.state.name for trial in trials]
    assert states.count("COMPLETE") >= 8
    assert states[0] == "FAIL"
    assert any(trial.system_attrs.get("failed_trial") == 0 for trial in trials)
    own = [trial for trial in trials if "failed_trial" not in trial.system_attrs]
    rates = [trial.params["lr"] for trial in own if trial.params]  # a worker held up before it drew has none
    assert len(set(rates)) == len(rates)


def test_a_search_goes_on_and_draws_what_it_has_not_drawn_yet(tmp_path):
    filled(url(tmp_path), 3)
    again = study.open_study(url(tmp_path), "s", resume=True)
    study.run(again, tried, 6)
    assert len({trial.params["lr"] for trial in again.get_trials()}) == len(again.get_trials()) == 6


def test_the_same_seed_searches_the_same(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = (filled(url(tmp_path / name), 3, seed=7) for name in "ab")
    assert [one.params for one in first.get_trials()] == [one.params for one in second.get_trials()]


def test_what_is_there_is_not_gone_on_with_unasked(tmp_path):
    filled(url(tmp_path), 1)
    with pytest.raises(UsageError, match="already"):
        study.open_study(url(tmp_path), "s", resume=False)


def test_a_database_that_cannot_be_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot open"):
        study.open_study(f"sqlite:///{tmp_path}/none/such.db", "s", resume=False)


def test_a_trial_that_comes_apart_says_why_and_the_search_goes_on(tmp_path):
    def sometimes(trial):
        if trial.number == 1:
            raise FacesecureError("the loss is nan")
        return tried(trial)

    found = study.open_study(url(tmp_path), "s", resume=False)
    study.run(found, sometimes, 3)
    assert [trial.state.name for trial in found.get_trials()] == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert found.get_trials()[1].user_attrs["why"] == "the loss is nan"


def test_a_picture_that_no_trial_could_read_ends_the_search(tmp_path):
    def unreadable(trial):
        raise ImageError("1 of 9 pictures cannot be read")

    found = study.open_study(url(tmp_path), "s", resume=False)
    with pytest.raises(ImageError, match="1 of 9"):
        study.run(found, unreadable, 3)
    assert len(found.get_trials()) == 1


@pytest.mark.parametrize("ends_it", [ImageError("1 of 9 pictures cannot be read"), KeyboardInterrupt()])
def test_what_ends_the_search_is_said_once_and_not_by_optuna_too(tmp_path, ends_it, capfd):
    def ended(trial):
        raise ends_it

    found = study.open_study(url(tmp_path), "s", resume=False)
    with pytest.raises(type(ends_it)):
        study.run(found, ended, 3)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": (5, 2)}, "--epochs is 5 2"),
        ({"epochs": (0, 0)}, "--epochs is 0 0"),
        ({"lr": (0.1, 0.001)}, "--lr is 0.1 0.001"),
        ({"lr": (0.0, 0.001)}, "--lr is 0 0.001"),
        ({"lr": (math.nan, 0.001)}, "--lr is nan 0.001"),
        ({"lr": (1e-4, math.inf)}, "--lr is 0.0001 inf"),
    ],
)
def test_bounds_between_which_nothing_can_be_drawn_are_refused_before_the_search_is_made(tmp_path, wrong, said):
    options = SearchOptions(data=tmp_path, storage=url(tmp_path), out=tmp_path / "out", **wrong)
    with pytest.raises(UsageError, match=said):
        search(options)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_report_shows_what_mattered_and_how_to_train_the_best(tmp_path, sampler):
    found = filled(url(tmp_path), 12, sampler=sampler)
    command = report.best_command(found, "compact", {"data": tmp_path / "faces", "size": 64}, tmp_path / "best")
    page = report.write(found, tmp_path / "out", command)
    assert f"--lr {found.best_params['lr']:.6g}" in page.read_text()
    assert command.startswith("facesecure-train train compact --data")
    assert " --size 64 " in command
    for chart in ("importance.png", "parallel.png"):
        assert (tmp_path / "out" / chart).read_bytes().startswith(b"\x89PNG")
    assert set(report.importance(found)) == set(found.best_params)


def test_the_space_is_the_one_asked_for(tmp_path):
    found = filled(url(tmp_path), 30)
    for trial in found.get_trials():
        assert 1e-7 <= trial.params["lr"] <= 1e-1
        assert trial.params["batch"] in (8, 16, 32, 64, 128)
        assert 5 <= trial.params["epochs"] <= 30
    rates = sorted(trial.params["lr"] for trial in found.get_trials())
    assert 1e-6 < rates[15] < 1e-2  # evenly by its logarithm, not by itself
