"""Run long work as a list of recorded `facesecure-train` commands, and skip those that are done."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from facesecure.util.files import replace_file

PROGRAM = "from facesecure_training.cli.main import main; main()"
TRAIN = "facesecure-train"


class Steps:
    """Runs commands of ``facesecure-train`` in ``folder``, and records their time and output in ``steps.json``.

    A step recorded with the same arguments is not run again, so that interrupted work can be continued.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "steps.json"
        self._done: dict[str, dict[str, Any]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def run(self, *words: object) -> dict[str, Any]:
        """Run a command and return its record.

        ``command``, ``seconds`` of wall time, ``cpu`` seconds, and ``said``: its stdout, parsed where it is JSON.
        """
        command = [str(word) for word in words]
        name = shlex.join([TRAIN, *command])
        if name not in self._done:
            print(f"$ {name}", file=sys.stderr, flush=True)
            self._done[name] = {"command": name, **self._timed(command)}
            replace_file(self._file, json.dumps(self._done, indent=1).encode())
        return self._done[name]

    def train(self, kind: str, out: str, *words: object) -> dict[str, Any]:
        """Train as ``run`` does, and resume an interrupted training."""
        whole, rest = ("train", kind, "--out", out, *words), ("train", kind, "--out", out, "--resume")
        begun = (self.folder / out / "config.json").exists()
        interrupted = begun and not self.done(*whole)
        return self.run(*(rest if interrupted else whole))

    def search(self, database: Path, *words: object) -> dict[str, Any]:
        """Search as ``run`` does, and continue a search that was interrupted: its trials are in ``database``."""
        return self.run(*words, *(("--resume",) if database.exists() and not self.done(*words) else ()))

    def done(self, *words: object) -> bool:
        """Return whether the command is recorded."""
        return shlex.join([TRAIN, *map(str, words)]) in self._done

    def record(self, words: str) -> dict[str, Any]:
        """Return the record of the training into the folder ``words``; its last, where it was resumed."""
        found = [one for name, one in self._done.items() if f"--out {words} " in f"{name} "]
        if not found:
            raise SystemExit(f"no command in {self._file} wrote {words}")
        return found[-1]

    def _timed(self, command: list[str]) -> dict[str, Any]:
        began, cpu = time.monotonic(), _children_cpu()
        program = [sys.executable, "-c", PROGRAM, *command]
        with subprocess.Popen(program, cwd=self.folder, stdout=subprocess.PIPE, text=True) as child:
            said, code = _patiently(child)
        if code:
            raise SystemExit(f"{shlex.join([TRAIN, *command])}: exit code {code}")
        seconds = {"seconds": round(time.monotonic() - began, 1), "cpu": round(_children_cpu() - cpu, 1)}
        return {**seconds, "said": _as_json(said)}


def _patiently(child: subprocess.Popen[str]) -> tuple[str, int]:
    """Return what ``child`` printed, and its exit code; after Ctrl-C, which reaches it too, let it save its state."""
    try:
        said, _ = child.communicate()
    except KeyboardInterrupt:
        child.wait()
        raise
    return said, child.returncode


def listed(steps: Iterable[dict[str, Any]], data: Path) -> list[str]:
    """Return Markdown lines of the commands, with $DATA for the data folder, and their minutes of wall and CPU time."""
    lines = []
    for step in steps:
        minutes = f"{step['seconds'] / 60:.1f} min, {step['cpu'] / 60:.1f} of processor"
        lines.append(f"- `{step['command'].replace(str(data), '$DATA')}`: {minutes}")
    return lines


def copy_charts(charts: dict[str, Path], folder: Path) -> None:
    """Copy ``charts``, by their new names, into ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, chart in charts.items():
        shutil.copyfile(chart, folder / name)


def _children_cpu() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
