"""Bulk work on real processes of Dask: on this machine, and on a cluster that runs already, over TLS."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.workforce import Workforce
from support.bulk_work import deadly, doubled, failing, signed
from support.faults.household import wait_until
from support.store import environment
from support.tls import Authority

pytestmark = pytest.mark.slow
pytest.importorskip("distributed", reason="needs the [cluster] extra")
dask_config = pytest.importorskip("dask.config")


@pytest.fixture(scope="module")
def pool():
    """Two processes."""
    with Workforce(2).pool() as started:
        yield started


def results(outcomes) -> list[int]:
    return sorted(outcome.result for outcome in outcomes)


def test_two_processes_return_what_one_does(pool):
    assert results(pool.map(doubled, 5, range(100), chunk=7)) == [2 * number + 5 for number in range(100)]
    assert "2 processes; dashboard: http://127.0.0.1:" in pool.described


def test_nobody_else_on_this_machine_reaches_the_processes(pool, monkeypatch):
    address = pool._cluster.scheduler_address
    nannies = [one["nanny"] for one in pool._client.scheduler_info()["workers"].values()]
    everything = [address, *pool._client.nthreads(), *nannies]
    assert [urlsplit(one).scheme for one in everything] == ["tls"] * 5
    for one in everything:
        with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
            heard_without_certificate(one)
    monkeypatch.setattr("facesecure.services.bulk.dask_pool._CONNECT_S", 2)
    with pytest.raises(FacesecureError, match=r"tcp://127.* cannot be reached"):
        Workforce(cluster=address.replace("tls://", "tcp://")).pool().__enter__()


def heard_without_certificate(address: str) -> bytes:
    """What the process at ``address`` says over TLS to somebody who shows no certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = urlsplit(address).hostname, urlsplit(address).port
    with socket.create_connection((host, port), 20) as plain, context.wrap_socket(plain) as secured:
        return secured.recv(1)


def test_an_error_of_the_work_ends_it_here(pool):
    with pytest.raises(ValueError, match="broken"):
        list(pool.map(failing, "broken", range(9)))
    assert results(pool.map(doubled, 0, [1])) == [2]


def test_a_worker_that_is_killed_is_replaced_and_its_work_done_again(pool, tmp_path):
    outcomes = pool.map(signed, tmp_path, range(40), chunk=2)
    found = [next(outcomes)]
    os.kill(int(next(tmp_path.iterdir()).name), signal.SIGKILL)
    found += outcomes
    assert results(found) == list(range(40))
    wait_until(lambda: len(pool._client.nthreads()) == 2, "a new worker in the place of the killed one")


def test_an_item_that_kills_every_process_is_named_and_the_others_are_done(pool):
    found = {outcome.item: outcome for outcome in pool.map(deadly, 7, range(20), chunk=5)}
    assert found.pop(7).lost == "the processes that worked on it died"
    assert [found[number].result for number in sorted(found)] == sorted(set(range(20)) - {7})


def test_a_single_item_that_kills_its_process_does_not_kill_this_one():
    with Workforce(2).pool(1) as one:
        assert [outcome.lost for outcome in one.map(deadly, 7, [7])] == ["the processes that worked on it died"]


@contextmanager
def cluster(folder: Path):
    """A cluster of another owner, which asks for certificates."""
    from distributed import LocalCluster, Security

    security = Security(
        tls_ca_file=str(folder / "ca.pem"), require_encryption=True,
        **{f"tls_{who}_{what}": str(folder / f"client.{end}")
           for who in ("client", "scheduler", "worker") for what, end in (("cert", "pem"), ("key", "key"))},
    )  # fmt: skip
    with LocalCluster(
        n_workers=1, threads_per_worker=1, security=security, protocol="tls", host="127.0.0.1", dashboard_address=None
    ) as started:
        yield started.scheduler_address


def test_the_work_ends_well_while_a_worker_is_started_anew():
    with Workforce(2).pool() as pool:
        close = pool._cluster.close

        def hindered():
            close()
            raise AssertionError("can only join a started process")

        pool._cluster.close = hindered
    assert pool._cluster is None


@contextmanager
def bare_cluster():
    """A cluster of another owner, of one worker."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as started:
        yield started


def test_a_cluster_over_tls_works_and_lets_nobody_in_without_its_certificates(tmp_path):
    ours, foreign = tmp_path / "ours", tmp_path / "foreign"
    for folder in (ours, foreign):
        folder.mkdir()
        Authority(folder).client_files(folder)
    with cluster(ours) as address:
        with Workforce(cluster=address, tls=ours).pool() as pool:
            assert results(pool.map(doubled, 0, range(5))) == [0, 2, 4, 6, 8]
        with pytest.raises(FacesecureError, match=r"tls://.* cannot be reached") as caught:
            Workforce(cluster=address, tls=foreign).pool().__enter__()
    assert f"are those of {foreign} its certificates?" in caught.value.hint


def test_an_address_where_no_cluster_is_is_told_of(monkeypatch):
    monkeypatch.setattr("facesecure.services.bulk.dask_pool._CONNECT_S", 2)
    with pytest.raises(FacesecureError, match=r"tcp://127.* cannot be reached"):
        Workforce(cluster="tcp://127.0.0.1:9").pool().__enter__()


def test_processes_that_cannot_be_started_are_told_of():
    with (
        dask_config.set({"temporary-directory": os.devnull}),
        pytest.raises(FacesecureError, match=r"2 processes cannot be reached \(.*Not a directory.*\)") as caught,
    ):
        Workforce(2).pool().__enter__()
    assert "fewer --workers" in caught.value.hint


def test_a_cluster_that_has_no_workers_yet_is_waited_for_aloud(monkeypatch, caplog):
    monkeypatch.setattr("facesecure.services.bulk.dask_pool._WORKERS_S", 0.5)
    with bare_cluster() as started:
        started.scale(0)
        wait_until(lambda: not started.scheduler.workers, "the end of the worker")
        with (
            pytest.raises(FacesecureError, match="has no workers"),
            Workforce(cluster=started.scheduler_address).pool(),
        ):
            pass
    assert caplog.messages.count(f"no workers at {started.scheduler_address}, waiting") == 1


def test_a_cluster_without_workers_is_waited_for_aloud_and_given_up_after_a_while(monkeypatch, caplog):
    with bare_cluster() as started, Workforce(cluster=started.scheduler_address).pool() as pool:
        for name, seconds in (("_SAID_S", 0.3), ("_RETURN_S", 10), ("_COUNTED_S", 0.1)):
            monkeypatch.setattr(f"facesecure.services.bulk.dask_pool.{name}", seconds)
        started.scale(0)
        wait_until(lambda: not pool._client.nthreads(), "the end of the worker")
        with pytest.raises(FacesecureError, match="has had no workers for") as caught:
            list(pool.map(doubled, 0, range(3)))
    assert caplog.messages.count(f"no workers at {started.scheduler_address}, waiting") == 1
    assert "run the same command again to resume" in caught.value.hint


LOGGING = """
import logging
from facesecure.services.bulk.workforce import Workforce
from support.bulk_work import doubled

logging.basicConfig(level=logging.INFO)
if __name__ == "__main__":
    with Workforce(2).pool() as pool:
        print(sum(outcome.result for outcome in pool.map(doubled, 0, range(3))))
"""


def test_neither_the_processes_nor_what_starts_them_log_anything(tmp_path):
    (tmp_path / "sum.py").write_text(LOGGING)
    command = [sys.executable, tmp_path / "sum.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment(), check=False)
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_work_ends_with_an_error_when_no_process_is_left_and_none_is_started_anew(monkeypatch):
    with Workforce(2).pool() as pool:
        for name in ("_WORKERS_S", "_COUNTED_S"):
            monkeypatch.setattr(f"facesecure.services.bulk.dask_pool.{name}", 0.2)
        pool._cluster.scale(0)
        wait_until(lambda: not pool._client.nthreads(), "the end of both processes")
        with pytest.raises(FacesecureError, match="all 2 processes have ended") as caught:
            list(pool.map(doubled, 0, range(3)))
    assert "again to resume" in caught.value.hint
