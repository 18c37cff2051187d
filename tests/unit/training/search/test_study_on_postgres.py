"""A search that processes share through a real PostgreSQL, as machines do; one of them dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from facesecure.domain.errors import UsageError
from support.faults.household import wait_until
from support.postgres.server import Server

pytest.importorskip("optuna", reason="needs the [training] extra")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")]
pytest_plugins = ["support.postgres.fixtures"]
from facesecure_training.search import report, study  # noqa: E402

PASSWORD = "only-for-this-search"
WORKER = """
import sys, time, warnings
warnings.simplefilter("ignore")
from facesecure_training.search import study
url, number, hangs = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "hangs"
found = study.open_study(url, "s", resume=True, worker=number, heartbeat_s=1, grace_s=2)
def tried(trial):
    rate = trial.suggest_float("lr", 1e-7, 1e-1, log=True)
    print("begun", flush=True)
    time.sleep(60 if hangs else 1.5)
    return rate
study.run(found, tried, 6)
"""


@pytest.fixture
def url(postgres: Server) -> str:
    """The address of an empty database, for a role of its own over TLS."""
    database = postgres.new_database()
    postgres.administer(f"CREATE ROLE {database} LOGIN PASSWORD '{PASSWORD}'")
    postgres.administer(f"ALTER DATABASE {database} OWNER TO {database}")
    address = postgres.url(database, database).replace("@", f":{PASSWORD}@", 1)
    return f"{address}?sslmode=verify-ca&sslrootcert={postgres.authority.root}"


@contextmanager
def opened(url: str, *, resume: bool = True) -> Iterator[Any]:
    """The search, whose connections are closed at the end."""
    found = study.open_study(url, "s", resume=resume)
    try:
        yield found
    finally:
        found._storage.remove_session()
        found._storage._backend.engine.dispose()


def test_workers_share_a_search_and_one_that_is_killed_loses_its_trial_to_another(
    url: str, postgres: Server, tmp_path: Path
) -> None:
    with opened(url, resume=False):
        pass
    command = [sys.executable, "-c", WORKER, url]
    hung = subprocess.Popen([*command, "1", "hangs"], stdout=subprocess.PIPE, text=True)
    assert hung.stdout is not None
    assert hung.stdout.readline() == "begun\n"
    count, database = "SELECT count(*) FROM trial_heartbeats", make_url(url).database or ""
    wait_until(lambda: bool(postgres.administer(count, database)[0][0]), "the heartbeat without which nobody misses it")
    both = [subprocess.Popen([*command, str(number), "works"], stdout=subprocess.DEVNULL) for number in (2, 3)]
    hung.send_signal(signal.SIGKILL)
    hung.wait()
    hung.stdout.close()
    assert [one.wait(180) for one in both] == [0, 0]
    with opened(url) as found:
        trials = found.get_trials()
        assert report.write(found, tmp_path, "").is_file()
    states = [trial.state.name for trial in trials]
    assert states.count("COMPLETE") >= 6
    assert states[0] == "FAIL"
    assert any(trial.system_attrs.get("failed_trial") == 0 for trial in trials)


def test_a_search_that_is_there_is_not_mixed_with_another_and_the_password_is_not_told(url: str) -> None:
    with opened(url, resume=False) as found:
        with pytest.raises(UsageError, match="already holds the search") as caught:
            study.open_study(url, "s", resume=False)
        assert PASSWORD not in str(caught.value)
        assert found.get_trials() == []
    with pytest.raises(UsageError, match="cannot open") as wrong:
        study.open_study(url.replace(PASSWORD, "a-wrong-password"), "s", resume=True)
    assert "a-wrong-password" not in str(wrong.value)
