"""The commands that docs/commands-of-2020.md names run as they are written there, on tiny data."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from support.faces import NAMES, portrait
from support.training.class_folders import rendered

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of TensorFlow, Keras and optuna
]
pytest.importorskip("tensorflow", reason="needs the [training] extra")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands-of-2020.md"
SMALL = ("--size", "32", "--batch", "8", "--epochs", "3", "--schedule", "constant")
LESS = {
    "train hugonet": (*SMALL, "--width", "0.1"),
    "train compact": (*SMALL, "--kind", "cnn", "--width", "0.25", "--epochs", "8", "--lr", "0.01", "--strength", "0.3"),
    "train siamese-densenet": (*SMALL, "--blocks", "2,2", "--growth", "4", "--pairs", "16"),
    "search": ("--size", "32", "--trials", "1", "--epochs", "3", "3"),
    "dataset extract": ("--jobs", "1"),
}
"""What is added to a command so that it ends in seconds; an option given twice counts as given last."""


def written() -> list[str]:
    """The commands of facesecure-train in the column "Here", in the order of the page."""
    cells = [line.replace("\\|", "¦").split("|")[3] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    spans = [span for cell in cells for span in re.findall(r"`(facesecure-train [^`]*)`", cell)]
    return [span.replace("¦", "|") for span in spans]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with everything that the placeholders of the page stand for."""
    root = tmp_path_factory.mktemp("readers")
    rendered(root / "FACES", 24, side=40)
    rendered(root / "TEST", 12, side=40, seed=2)
    rendered(root / "CROPS", 12, side=40, seed=3)
    chance = np.random.default_rng(1)
    for folder in [root / part / "unknown" for part in ("FACES", "TEST", "CROPS")]:
        for number in range(24):
            noise(folder / f"{number}.png", chance)
    for number in range(30):
        noise(root / "STRANGERS" / f"p{number:02}" / "1.png", chance)
    people = [f"{number % 40}" for number in range(160)]
    for number, person in enumerate(people):
        noise(root / "IMAGES" / f"{number:06}.jpg", chance)
        noise(root / "PEOPLE" / person / f"{number}.png", chance)
    lines = [f"{number:06}.jpg {person}" for number, person in enumerate(people)]
    (root / "identity_CelebA.txt").write_text("\n".join(lines) + "\n")
    for name in NAMES:
        (root / "SOURCE" / name).mkdir(parents=True)
        cv2.imwrite(str(root / "SOURCE" / name / "1.jpg"), portrait(name)[:, :, ::-1])
    return root


def noise(path: Path, chance: np.random.Generator) -> None:
    """Write an image that is nobody's face."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), chance.integers(0, 255, (40, 40, 3), np.uint8))


def run(words: list[str], monkeypatch, capsys) -> None:
    """Run a command in this process: TensorFlow is loaded once, not ten times."""
    from facesecure_training.cli.main import main

    monkeypatch.setattr(sys, "argv", ["facesecure-train", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert not ended.value.code, f"{words}: {said.err}"


def filled(command: str, names: dict[str, str]) -> list[str]:
    """The words of a command, with placeholders replaced, and the first of several alternatives."""
    words = [word.split("|")[0] for word in shlex.split(command)[1:]]
    words = [names.get(word, word) for word in words]
    kind = next((kind for kind in LESS if " ".join(words).startswith(kind)), "")
    return [*words, *LESS.get(kind, ())]


def test_every_command_of_the_page_runs_as_it_is_written(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    names = {"FOLDER": "OUTPUT", "TARGET": "COPY"}
    commands = written()
    for number, command in enumerate(commands):
        if " train " in command:
            names["RUN"] = f"run-{number}"
        if "evaluate classifier" in command:
            names |= {"MODEL": str(next(Path("DIR").glob("*.tflite"))), "PEOPLE": "STRANGERS"}
        if "dataset pairs" in command:
            names |= {"TEST": "PAIRS/test.csv", "CROPS": "IMAGES", "PEOPLE": "PEOPLE"}
        run(filled(command, names), monkeypatch, capsys)
    assert len(commands) >= 10
    assert Path("OUTPUT/manifest.parquet").exists()
    assert any(Path("COPY").rglob("*.jpg"))
    assert Path("search/report.html").exists()
