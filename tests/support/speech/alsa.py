"""ALSA without a sound card: what is played goes into a file, by ALSA's own "file" device."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

PLAYED_RATE = 48_000
EVENING = "evening.raw"


def without_a_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have ALSA know the devices "default" and "kitchen", which write raw 16 bit stereo into the file returned.

    Each sound overwrites the file; everything that "default" plays is also appended to "evening.raw" beside it.
    """
    if shutil.which("aplay") is None:
        pytest.skip("needs Debian's alsa-utils")
    played = folder / "played.raw"
    fixed = f"format S16_LE rate {PLAYED_RATE} channels 2"
    (folder / "asound.conf").write_text(
        f'pcm.tofile {{ type file file "{played}" format "raw" slave {{ pcm "nobody" }} }}\n'
        f"pcm.nobody {{ type null }}\n"
        f'pcm.appended {{ type file file "|cat >> {folder / EVENING}" format "raw" slave {{ pcm "tofile" }} }}\n'
        f'pcm.!default {{ type plug slave {{ pcm "appended" {fixed} }} }}\n'
        f'pcm.kitchen {{ type plug slave {{ pcm "tofile" {fixed} }} hint.description "in the kitchen" }}\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(folder / "asound.conf"))
    return played


def samples(played: Path) -> np.ndarray:
    """Read what was played: float (n, 2), full scale -1 to 1."""
    return np.frombuffer(played.read_bytes(), "<i2").reshape(-1, 2) / 32768
