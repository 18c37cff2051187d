"""Without sudo, beside an installed service, every command says to use it; none calls it a bug."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_NOBODY = 65534
_MAIN = """
import sys
from pathlib import Path
from facesecure.config import paths
from facesecure.storage import keys
paths.MACHINE_CONFIG, keys.MACHINE_KEY = Path(sys.argv[1], "facesecure.toml"), Path(sys.argv[1], "key")
from facesecure.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
COMMANDS = [
    "people list", "events list", "key show", "key rotate --yes",
    "enroll Anna --images photos", "calibrate", "alerts list", "alerts history",
    "config check", "doctor", "run", "arm away", "status",
]  # fmt: skip


@pytest.fixture
def installed():
    """The folders of the service, as `make install` leaves them; returns a function that runs a command as nobody."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o755)
        yield _service(Path(folder))


def _service(folder):
    etc, state = folder / "etc", folder / "state"
    etc.mkdir()
    etc.chmod(0o750)
    state.mkdir(mode=0o700)
    (etc / "facesecure.toml").write_text("")
    (etc / "facesecure.toml").chmod(0o640)
    environment = {**os.environ, "HOME": str(folder / "home"), "STATE_DIRECTORY": str(state)}
    for name in ("FACESECURE_CONFIG", "FACESECURE_STATE_DIR", "FACESECURE_KEY_FILE", "XDG_CONFIG_HOME"):
        environment.pop(name, None)

    def run(command, *, in_group):
        if in_group:
            for path in (etc, etc / "facesecure.toml"):
                os.chown(path, 0, _NOBODY)
        return subprocess.run(
            [sys.executable, "-c", _MAIN, str(etc), *command.split()], cwd="/", env=environment, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, user=_NOBODY, group=_NOBODY, extra_groups=[], timeout=60,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("in_group", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_to_use_sudo(installed, command, in_group):
    outcome = installed(command, in_group=in_group)
    assert outcome.returncode in (1, 2)
    assert "hint: use sudo" in outcome.stderr, outcome.stderr
    assert not re.search(r"\bbug\b", outcome.stdout + outcome.stderr)
    assert len(outcome.stderr.splitlines()) == 2
