"""The page tells of all networks or is left as it is."""

from __future__ import annotations

import sys

import pytest

from benchmarks import training_speed

NETWORK = next(iter(training_speed.KINDS))


def options(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    monkeypatch.setattr(sys, "argv", ["training_speed", "faces", *words])
    return training_speed._options()


def test_results_of_some_networks_only_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        options(monkeypatch, "--only", NETWORK, "--results", "training/results")
    assert "leave out --only" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--results", "training/results"],
        ["--only", NETWORK],
        ["--only", *training_speed.KINDS, "--results", "training/results"],
    ],
)
def test_all_networks_or_no_results_are_taken(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    assert options(monkeypatch, *words)
