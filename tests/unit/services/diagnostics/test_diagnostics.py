"""The doctor finds what is broken, says what to do, and changes nothing."""

import json
import os
import subprocess
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from facesecure.app.control.server import ControlServer
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import FacesecureError
from facesecure.services.diagnostics import CheckContext, Health, components, machine, run_checks, state
from facesecure.services.diagnostics.machine import judge_clock
from facesecure.storage.keys import make_key
from facesecure.storage.store import Store
from facesecure.vision.inference.card_files import bundled_directory
from support.people import enrolled_face


def context(tmp_path, **sections):
    return CheckContext(FacesecureConfig.model_validate(sections), None, tmp_path / "state")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert cv2.imwrite(str(folder / "a.png"), np.full((48, 64, 3), 90, np.uint8))
    return folder


def only(results):
    (result,) = results
    return result


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(tmp_path):
    def mendable(context):
        raise FacesecureError("it is loose", "push it in")
        yield

    def buggy(context):
        raise ZeroDivisionError("oh")
        yield

    found = list(run_checks(context(tmp_path), {"a": mendable, "b": buggy, "disk": machine.disk}))
    assert [(f.check, f.health) for f in found][:2] == [("a", Health.FAIL), ("b", Health.FAIL)]
    assert (found[0].message, found[0].remedy) == ("it is loose", "push it in")
    assert "ZeroDivisionError" in found[1].message
    assert found[2].check == "disk"


def test_the_bundled_models_and_detector_are_well(tmp_path):
    found = [*components.models(context(tmp_path)), *components.detector(context(tmp_path))]
    assert {result.health for result in found} == {Health.OK}
    assert {"model pnet", "detector"} <= {result.check for result in found}


def test_a_damaged_model_is_found(tmp_path):
    folder = tmp_path / "state" / "models"
    folder.mkdir(parents=True)
    (folder / "pnet.json").write_bytes((bundled_directory() / "pnet.json").read_bytes())
    (folder / "pnet.tflite").write_bytes(b"x")
    sick = [result for result in components.models(context(tmp_path)) if result.health is Health.FAIL]
    assert only(sick).check == "model pnet"
    assert only(sick).remedy


def test_a_plugin_that_is_not_installed_fails_and_no_plugin_at_all_is_warned_of(tmp_path):
    found = {
        result.check: result
        for result in components.plugins(context(tmp_path, plugins={"logg": {}, "log": {"enabled": False}}))
    }
    assert found["plugin logg"].health is Health.FAIL
    assert "log" in found["plugin logg"].remedy
    assert found["plugins"].health is Health.WARN


def test_the_log_plugin_is_well(tmp_path):
    found = {result.check: result.health for result in components.plugins(context(tmp_path))}
    assert found["plugin log"] is Health.OK
    assert "plugins" not in found


def test_a_store_that_is_not_made_yet_is_well_and_is_not_made_by_looking(tmp_path):
    result = only(state.store(context(tmp_path)))
    assert result.health is Health.OK
    assert only(state.people(context(tmp_path))).health is Health.WARN
    assert not (tmp_path / "state").exists()


def test_a_place_where_no_store_can_be_made_fails(tmp_path):
    (tmp_path / "file").write_text("")
    wanted = CheckContext(FacesecureConfig(), None, tmp_path / "file" / "state")
    assert only(state.store(wanted)).health is Health.FAIL


def test_a_whole_store_is_well_and_a_damaged_one_is_not(tmp_path):
    with Store.open(tmp_path / "state") as store:
        for seed in range(12):
            store.add_person(f"Person {seed}", [enrolled_face(seed)])
    assert only(state.store(context(tmp_path))).health is Health.OK
    path = tmp_path / "state" / "facesecure.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : -4096] = b"\x5a" * (len(content) - 4096 * 4)
    path.write_bytes(content)
    assert only(run_checks(context(tmp_path), {"store": state.store})).health is Health.FAIL


def test_what_others_can_read_is_warned_of(tmp_path):
    with Store.open(tmp_path / "state"):
        pass
    assert only(state.permissions(context(tmp_path))).health is Health.OK
    (tmp_path / "state" / "facesecure.db").chmod(0o644)
    result = only(state.permissions(context(tmp_path)))
    assert (result.health, "chmod" in result.remedy) == (Health.WARN, True)


def test_the_socket_of_a_running_daemon_is_not_warned_of(tmp_path):
    with Store.open(tmp_path / "state"), ControlServer({}, tmp_path / "state" / "control.sock"):
        assert only(state.permissions(context(tmp_path))).health is Health.OK
        (tmp_path / "state" / "control.sock").chmod(0o666)
        assert only(state.permissions(context(tmp_path))).health is Health.WARN


def test_every_file_and_folder_is_looked_at_and_one_command_mends_them(tmp_path):
    root = tmp_path / "state"
    with Store.open(root) as store:
        store.add_person("Tom", [enrolled_face(1)])
    for number in range(5):
        (root / f"folder{number}").mkdir(mode=0o755)
        (root / f"folder{number}" / "file").write_text("")
        (root / f"folder{number}" / "file").chmod(0o640)
    result = only(state.permissions(context(tmp_path)))
    assert result.health is Health.WARN
    assert "and 7 more" in result.message
    subprocess.run(result.remedy, shell=True, check=True)
    assert only(state.permissions(context(tmp_path))).health is Health.OK


def test_a_key_that_fits_is_well_and_another_is_not(tmp_path):
    with Store.open(tmp_path / "state") as store:
        store.add_person("Tom", [enrolled_face(1)])
    result = only(state.key(context(tmp_path)))
    assert (result.health, "beside the faces" in result.message) == (Health.OK, True)
    (tmp_path / "state" / "key").unlink()
    make_key(tmp_path / "state" / "key")
    result = only(run_checks(context(tmp_path), {"key": state.key}))
    assert (result.health, "is not the key" in result.message) == (Health.FAIL, True)


def test_a_backup_that_is_missing_or_old_is_warned_of_and_so_is_damage(tmp_path):
    root = tmp_path / "state"
    assert list(state.backups(context(tmp_path))) == []
    Store.open(root).close()
    assert only(state.backups(context(tmp_path))).health is Health.OK, "there is nothing to lose yet"
    with Store.open(root) as store:
        store.add_person("Tom", [enrolled_face(1)])
    assert only(state.backups(context(tmp_path))).health is Health.OK
    (backup,) = (root / "backups").iterdir()
    os.utime(backup, (0, 0))
    assert only(state.backups(context(tmp_path))).health is Health.WARN
    os.truncate(root / "facesecure.db", 8192)
    Store.open(root, resident=True).close()
    assert [result.health for result in state.backups(context(tmp_path))] == [Health.WARN, Health.WARN]
    backup.unlink()
    assert only(state.backups(context(tmp_path))).health is Health.WARN


CAMERAS = (
    {"camera": {"source": "rtsp://me:geheim@door/1"}},
    {"cameras": [{"name": "a", "source": "dir:."}, {"name": "b", "source": "dir:.", "detect": "rtsp://me:geheim@b/2"}]},
)


@pytest.mark.parametrize("tables", CAMERAS)
def test_a_password_in_a_file_that_everybody_reads_is_warned_of_and_not_repeated(tmp_path, tables):
    file = tmp_path / "door.toml"
    file.write_text("")
    file.chmod(0o644)
    config = FacesecureConfig.model_validate(tables)
    result = only(state.permissions(CheckContext(config, file, tmp_path / "state")))
    assert result.health is Health.WARN
    assert "geheim" not in result.message + result.remedy


@pytest.mark.parametrize(
    ("free", "health"), [(50e6, Health.FAIL), (400e6, Health.WARN), (900e6, Health.OK), (9e12, Health.OK)]
)
def test_room_on_the_disk_is_judged_by_what_will_be_kept(tmp_path, monkeypatch, free, health):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: usage)
    assert only(machine.disk(context(tmp_path, store={"max_snapshot_mb": 500}))).health is health


def test_a_clock_is_judged():
    now = datetime(2031, 5, 30, tzinfo=UTC)
    assert judge_clock(now, in_sync=True).health is Health.OK
    assert judge_clock(now, in_sync=None).health is Health.OK
    assert judge_clock(now, in_sync=False).health is Health.WARN
    assert judge_clock(datetime(1970, 1, 1, tzinfo=UTC), in_sync=True).health is Health.FAIL


def test_the_kernel_is_asked_whether_its_clock_is_kept():
    assert machine.synchronised() in (True, False, None)


def test_the_command_ends_with_1_if_anything_fails_and_tells_it_in_json(tmp_path, monkeypatch, capfd, pictures):
    from facesecure.cli.main import main

    monkeypatch.setenv("FACESECURE_STATE_DIR", str(tmp_path / "state"))
    file = tmp_path / "door.toml"
    file.write_text('[camera]\nsource = "v4l2:/dev/video99"\n')
    assert main(["doctor", "--json", "--config", str(file)]) == 1
    report = json.loads(capfd.readouterr().out)
    camera = next(check for check in report["checks"] if check["check"] == "camera")
    assert (report["ok"], camera["status"]) == (False, "fail")
    assert camera["advice"]
    assert main(["doctor", "--config", str(file)]) == 1
    assert "-> " in capfd.readouterr().out
