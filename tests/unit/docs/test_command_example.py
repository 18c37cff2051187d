"""The command in docs/plugins.md, installed as a package of its own, works as the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.cli.main import main

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the page's module and entry point to a folder of sys.path, as an installer does."""
    page = PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (entry_points,) = re.findall(r"```toml\n(\[project.*?)```", page, re.DOTALL)
    (tmp_path / "door_marquee_command.py").write_text(code)
    metadata = tmp_path / "door_marquee-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: door-marquee\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        re.sub(r'\[project\.entry-points\."(.*)"\]', r"[\1]", entry_points).replace('"', "")
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("door_marquee_command", None)


def test_the_command_reads_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "door.toml"
    config.write_text("[plugins.marquee]\nwidth = 60\n")
    assert main(["--config", str(config), "alerts", "marquee"]) == 0
    assert capsys.readouterr().out == "width: 60\n"
    assert main(["--config", str(config), "alerts", "marquee", "--json"]) == 0
    assert capsys.readouterr().out == '{"marquee": {"width": 60}}\n'


def test_the_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--help"]) == 0
    assert "marquee  Show the settings of the display." in capsys.readouterr().out
