"""The trials of the hub, of which one is run here, small: ``python -m benchmarks.hub_trials`` runs all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.postgres.server import needs_postgres

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def test_real_doors_that_were_cut_off_agree_in_the_end_and_nothing_is_lost(tmp_path: Path) -> None:
    needs_postgres()
    out = tmp_path / "trials.json"
    words = ["cut", "--doors", "3", "--seconds", "9", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hub_trials", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(out.read_text())
    assert found["done"]["enrolled"] > 0
    assert any("goes on without it" in said for said in found["said"])
