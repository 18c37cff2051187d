"""Extractions from and to addresses that name a host, as those of FTP and SFTP do."""

import errno
import os
from contextlib import suppress
from tempfile import gettempdir

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.utils import infer_storage_options
from typer.testing import CliRunner

from facesecure.domain.errors import DiskFullError, FacesecureError, UsageError
from facesecure.util.redaction import forget, redact
from facesecure_training.cli.main import app
from facesecure_training.datasets import location
from facesecure_training.datasets.crop_folder import crop_folder
from facesecure_training.datasets.extract import extract
from facesecure_training.datasets.location import Location, place_of
from facesecure_training.datasets.settings import ExtractionSettings
from support.training.datasets import photo

SETTINGS = ExtractionSettings(min_quality=0.0, thin=1.0)


class Refused(Exception):
    """What this driver raises, as that of FTP raises errors of its own."""


class Hosted(MemoryFileSystem):
    """Files in memory, at each host others; its paths tell nothing of the host."""

    protocol = "hosted"
    hosts: dict = {}  # noqa: RUF012
    made: set = set()  # noqa: RUF012

    def __init__(self, host, port=None, username=None, password=None, **options):
        super().__init__(**options)
        self.store, self.pseudo_dirs = self.hosts.setdefault(host, ({}, [""]))

    @classmethod
    def _strip_protocol(cls, path):
        return f"/{infer_storage_options(path)['path'].strip('/')}".rstrip("/")

    @staticmethod
    def _get_kwargs_from_urls(address):
        found = infer_storage_options(address)
        return {name: value for name, value in found.items() if name not in ("path", "protocol")}

    def get_file(self, rpath, lpath, **options):
        if rpath.endswith("refused.jpg"):
            raise Refused("550 sesame may not read it")
        super().get_file(rpath, lpath, **options)

    def makedirs(self, path, exist_ok=False):
        super().makedirs(path, exist_ok)
        if path not in self.made:
            self.made.add(path)
            raise Refused("550 another worker has just made it")

    def rm_file(self, path):
        if not self.exists(path):
            raise Refused("550 there is no such file")
        super().rm_file(path)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The files of host "one", with two photos to extract, and the state of extractions in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Hosted, "hosts", {})
    monkeypatch.setattr(Hosted, "made", set())
    fsspec.register_implementation("hosted", Hosted, clobber=True)
    Hosted.clear_instance_cache()
    forget()
    files = Hosted("one")
    for name, who in (("1.jpg", "grace_hopper"), ("x::y.jpg", "eileen_collins")):
        files.pipe_file(f"/films/a/{name}", photo(tmp_path / "1.jpg", who).read_bytes())
    return files


def test_the_workers_reach_the_host_and_each_host_has_an_extraction_of_its_own(host):
    films, crops = "hosted://me:sesame@one/films", {"/out/a/1.jpg-000000-0.png", "/out/a/x::y.jpg-000000-0.png"}
    for name in ("one", "two"):
        found = extract(films, f"hosted://me:sesame@{name}/out", SETTINGS)
        assert (found.done_before, found.faces, found.broken) == (0, 2, [])
        assert set(Hosted(name).find("/out")) == {*crops, "/out/manifest.parquet"}
    assert extract(films, "hosted://me:changed@two/out/", SETTINGS).done_before == 2


def test_what_changed_is_done_again_whatever_error_the_driver_has_for_a_missing_file(host, tmp_path):
    places = "hosted://one/films", "hosted://one/out"
    extract(*places, SETTINGS)
    host.pipe_file("/films/a/1.jpg", photo(tmp_path / "2.jpg", "eileen_collins").read_bytes())
    assert extract(*places, SETTINGS).done_before == 1
    host.pipe_file("/films/a/refused.jpg", b"\xff\xd8\xff")
    found = extract(*places, SETTINGS)
    assert (found.faces, found.broken) == (2, ["a/refused.jpg"])


def test_no_password_is_shown(host, caplog):
    host.pipe_file("/films/a/refused.jpg", b"\xff\xd8\xff")
    words = ["-d", "hosted://me:sesame@one/films", "-o", "hosted://me:sesame@one/out", "--workers", "1"]
    done = CliRunner().invoke(app, ["dataset", "extract", *words])
    assert done.exit_code == 0, done.output
    assert "in hosted://***@one/out" in done.output
    assert "left out: a/refused.jpg: it cannot be fetched (550 *** may not read it)" in caplog.messages
    assert "sesame" not in done.output


def test_a_full_disk_for_temporary_files_is_not_the_photos_fault(host, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Hosted, "get_file", full)
    for output in ("hosted://one/out", str(tmp_path / "out")):
        with pytest.raises(DiskFullError, match=f"disk of {gettempdir()} on .*is full"):
            extract("hosted://one/films", output, SETTINGS)


def test_an_address_that_lacks_a_part_is_told_of(host):
    with pytest.raises(FacesecureError, match=r"hosted:///films is not an address"):
        Location.at("hosted:///films")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("hosted://me:a@one/out", "hosted://me:b@one/out/", True),
        ("hosted://me@one/out", "hosted://you@one/out", False),
        ("hosted://one/out", "hosted://one:2121/out", False),
        ("hosted://one/out", "hosted://one/out2", False),
        ("memory://out", "memory://out/", True),
    ],
)
def test_a_place_is_the_same_by_all_but_its_password(host, one, other, same):
    assert (crop_folder(one).state_folder == crop_folder(other).state_folder) is same


@pytest.mark.parametrize(
    ("one", "other", "held"),
    [
        ("hosted://me:a@one/in", "hosted://me:b@one/in/", True),
        ("hosted://one/in", "hosted://one//in/faces", True),
        ("hosted://one/in", "hosted://two/in/faces", False),
        ("memory://in", "memory:///in/faces", True),
        ("memory://in", "memory://in2", False),
        ("memory://", "memory://in", True),
        ("hosted://one/in", "memory://in/faces", False),
    ],
)
def test_a_place_holds_another_however_the_two_are_written(host, one, other, held):
    assert Location.at(one).holds(Location.at(other)) is held


@pytest.mark.parametrize("scheme", ["file", "local", "FILE"])
def test_an_address_of_this_machine_is_a_path(tmp_path, scheme):
    assert place_of(f"{scheme}://{tmp_path}/faces/") == tmp_path / "faces"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("file:///tmp/Tmp-x81/faces", "file:///tmp/Tmp-x81/faces"),
        ("hosted://Nas-x81/Tmp-x81/faces", "hosted://Nas-x81/Tmp-x81/faces"),
        ("hosted://me:sesame@one/Tmp-x81", "hosted://***@one/Tmp-x81"),
        ("hosted://me:ses/ame@one/Tmp-x81", "hosted://***@one/Tmp-x81"),
    ],
)
def test_only_the_password_of_an_address_is_a_secret(host, address, shown):
    with suppress(FacesecureError):  # a password that is not escaped makes it an odd address
        Location.at(place_of(address) if address.startswith("hosted") else address)
    text = redact("/srv/Tmp-x81 of Nas-x81, sesame, ses/ame")
    assert (redact(address), "/srv/Tmp-x81 of Nas-x81" in text) == (shown, True)
    assert (":ses" in address and address[12:].split("@")[0] in text) is False


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_path_is_not_the_current_folder(empty):
    for take in (place_of, Location.at):
        with pytest.raises(UsageError, match="is empty"):
            take(empty)


def test_a_place_is_another_by_the_endpoint_in_the_settings_of_fsspec(host, monkeypatch):
    found = []
    for endpoint in ("http://a", "http://b"):
        monkeypatch.setitem(fsspec.config.conf, "hosted", {"endpoint_url": endpoint, "secret": endpoint})
        found.append(Location.at("hosted://one/out").identity)
    assert found == [f'hosted:///out {{"endpoint_url": "http://{name}", "host": "one"}}' for name in "ab"]


@pytest.mark.parametrize("variable", location.ELSEWHERE["s3"])
def test_a_bucket_is_another_by_what_tells_the_driver_where_it_is(host, monkeypatch, variable):
    monkeypatch.setitem(location.ELSEWHERE, "hosted", location.ELSEWHERE["s3"])
    found = {Location.at("hosted://one/out").identity}
    for value in ("http://nas:9000", "http://backup:9000"):
        monkeypatch.setenv(variable, value)
        found.add(Location.at("hosted://one/out").identity)
    assert len(found) == 3
