"""Who does bulk work: what the command line may say, and what this process alone does."""

from pathlib import Path

import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.services.bulk import workforce
from facesecure.services.bulk.pool import Outcome, ThisProcess
from facesecure.services.bulk.workforce import CERTIFICATES, Workforce
from support.bulk_work import doubled, failing


def test_one_worker_is_this_process_and_needs_no_dask(monkeypatch):
    monkeypatch.setattr(workforce, "found", lambda _: False)
    with Workforce().pool() as pool:
        assert isinstance(pool, ThisProcess)
        assert list(pool.map(doubled, 1, [1, 2])) == [Outcome(1, 3), Outcome(2, 5)]
    assert Workforce.of_cores() == Workforce(1)


def test_several_workers_without_dask_are_refused_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(workforce, "found", lambda _: False)
    with pytest.raises(FacesecureError) as caught:
        Workforce(2).pool()
    assert "facesecure[cluster]" in caught.value.hint


@pytest.mark.parametrize(("work", "processes"), [(None, 8), (9, 8), (3, 3), (1, 2), (0, 2)])
def test_no_more_workers_are_started_than_there_is_work_for_and_none_works_here(monkeypatch, work, processes):
    pytest.importorskip("distributed", reason="needs the [cluster] extra")
    monkeypatch.setattr("facesecure.services.bulk.dask_pool.DaskPool.of_processes", lambda workers: workers)
    assert Workforce(8).pool(work) == processes


def test_items_are_taken_as_they_are_needed():
    taken = []
    items = (taken.append(number) or number for number in range(10))
    first = next(ThisProcess().map(doubled, 0, items))
    assert (first.result, taken) == (0, [0])


def test_an_error_of_the_work_ends_it():
    with pytest.raises(ValueError, match="broken"):
        list(ThisProcess().map(failing, "broken", range(9)))


@pytest.mark.parametrize(
    ("address", "tls", "why"),
    [
        ("10.0.0.5:8786", None, "no address of a cluster"),
        ("http://10.0.0.5", None, "no address of a cluster"),
        ("tcp://127.0.0.1", None, "no address of a cluster"),
        ("tcp://127.0.0.1:abc", None, "no address of a cluster"),
        ("tcp://127.0.0.1:0", None, "no address of a cluster"),
        ("tcp://127.0.0.1:99999", None, "no address of a cluster"),
        ("tcp://127.0.0.1:1/x", None, "no address of a cluster"),
        ("tcp://127.0.0.1:1?x", None, "no address of a cluster"),
        ("tcp://my host:1", None, "no address of a cluster"),
        ("tcp://[::1", None, "no address of a cluster"),
        ("tcp://u:sesame@127.0.0.1:1", None, r"^--cluster 'tcp://\*\*\*@127.0.0.1:1' is no address of a cluster"),
        ("tls://10.0.0.5:8786", None, "needs --cluster-tls"),
        ("tcp://10.0.0.5:8786", "certificates", "not encrypted"),
        ("tls://10.0.0.5:8786", "certificates", "lacks ca.pem, client.pem, client.key"),
        (None, "certificates", "is for a cluster"),
    ],
)
def test_addresses_that_cannot_be_meant_are_refused(tmp_path, address, tls, why):
    with pytest.raises(UsageError, match=why):
        Workforce(cluster=address, tls=tls and tmp_path)


@pytest.mark.parametrize(
    ("address", "understood"),
    [("TCP://Scheduler-1:8786/", "tcp://Scheduler-1:8786"), ("tcp://[::1]:8786", "tcp://[::1]:8786")],
)
def test_an_address_is_understood_however_its_scheme_is_written(address, understood):
    assert Workforce(cluster=address).cluster == understood


def test_processes_here_and_a_cluster_are_not_asked_for_together():
    with pytest.raises(UsageError, match="--workers starts processes here, and --cluster has its own"):
        Workforce(4, "tcp://10.0.0.5:8786")


def test_a_cluster_over_tls_is_accepted_with_its_certificates(tmp_path):
    for name in CERTIFICATES:
        Path(tmp_path, name).touch()
    assert Workforce(cluster="tls://10.0.0.5:8786", tls=tmp_path).cluster == "tls://10.0.0.5:8786"
