"""The demo draws boxes, names and the contact sheet with what the daemon itself needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

_BLOCKED = """
import sys
sys.modules.update(dict.fromkeys(("matplotlib", "PIL", "contourpy", "fontTools", "kiwisolver", "pyparsing")))
from facesecure.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_the_demo_needs_neither_matplotlib_nor_pillow(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED, "demo", "--out", str(tmp_path / "out")],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sheets = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".png", ".jpg")]
    assert sheets
    assert all(cv2.imread(str(sheet)).std() > 20 for sheet in sheets)
