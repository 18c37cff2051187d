"""A person is removed while the daemon watches them come and go."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.domain.names import FORGOTTEN
from facesecure.storage.store import Store
from support.camera.rtsp import RtspCamera, unavailable
from support.faults.traces import found, sealed_values, spellings, uids
from support.service.commandline import CommandLine, own_settings, started
from support.service.journey import wait_for_lines

GRACE = GRACE_HOPPER.name


@pytest.mark.slow
@pytest.mark.rtsp
def test_who_is_removed_while_she_stands_at_the_door_is_in_no_file_once_the_daemon_has_written_on(
    door_clip: Path,
    household: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if why := unavailable():
        pytest.skip(why)
    state = own_settings(tmp_path, monkeypatch)
    shutil.copytree(household, state)
    config, log = tmp_path / "door.toml", tmp_path / "alerts.jsonl"
    with RtspCamera(film=door_clip) as camera:
        config.write_text(
            f'[camera]\nsource = "{camera.url}"\ntimeout = 4.0\nreconnect_max = 1.0\n[plugins.log]\nfile = "{log}"\n'
        )
        daemon = started("--config", config, "run", state=state)
        try:
            wait_for_lines(log, "known", 1, timeout=90)
            needles = [*uids(state), *(one for table in ("faces", "templates") for one in sealed_values(state, table))]
            removed = CommandLine(state, capfd)("people", "remove", GRACE, "--yes")
            assert removed.code == 0, removed.err
            wait_for_lines(log, "stranger", 1, timeout=120)  # whoever comes next, and her visit has ended
            assert found(state, [*needles, *spellings(GRACE)]) == [], "while the daemon writes"
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=60)
    assert found(state, [*needles, *spellings(GRACE)]) == []
    with Store.open(state) as store:
        hers = [one for one in store.sightings(limit=500) if one.name == FORGOTTEN]
        assert hers, "that she came stays"
        assert [one.snapshot for one in hers] == [None] * len(hers)
        assert [face for one in hers for face in store.faces_seen(one.identifier)] == []
