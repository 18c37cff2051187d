"""The command line, run in this process against a state directory of the test's own."""

import json
from dataclasses import dataclass

import pytest

from facesecure import paths
from facesecure.cli.main import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A state directory, not made yet, that every command of the test uses; nobody's own settings come in."""
    for name in ("FACESECURE_CONFIG", "STATE_DIRECTORY", "FACESECURE_DEBUG", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(paths, "MACHINE_CONFIG", tmp_path / "etc" / "facesecure.toml")
    monkeypatch.setenv("FACESECURE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def facesecure(state, capfd):
    """``facesecure("people", "list")`` runs that and tells how it went."""

    def run(*words):
        capfd.readouterr()
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def store(state):
    from facesecure.store.store import Store

    with Store.open(state) as store:
        yield store
