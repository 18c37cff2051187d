"""The espeak-ng program: robotic, immediate, in over a hundred languages, with no network. Debian: espeak-ng."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from facesecure.alerts.speech.audio import Sound, decode
from facesecure.domain.errors import PluginError
from facesecure.domain.languages import base

PROGRAM = "espeak-ng"
_INSTALL = "install it: sudo apt install espeak-ng"
_SECONDS = 10.0
_USUAL, _SLOW = 160, 120
"""Words a minute; espeak-ng's own 175 is hard to follow through a loudspeaker."""
_ITS_OWN_NAMES = {"zh": "cmn", "zh-cn": "cmn", "zh-tw": "cmn", "no": "nb", "iw": "he", "pt": "pt-br"}
"""What espeak-ng calls languages that gTTS calls otherwise."""


class EspeakVoice:
    """Speaks through espeak-ng where it is installed."""

    name = "espeak-ng"

    def __init__(self, *, slow: bool = False, program: str = PROGRAM) -> None:
        self.settings = "slow" if slow else ""
        self._speed = _SLOW if slow else _USUAL
        self._program = program

    def obstacle(self, language: str) -> PluginError | None:
        if shutil.which(self._program) is None:
            return PluginError("espeak-ng is not installed", _INSTALL)
        try:
            self._voice(language)
        except PluginError as error:
            return error
        return None

    def say(self, text: str, language: str) -> Sound:
        """Raises PluginError where it is not installed, does not speak ``language``, or fails."""
        if shutil.which(self._program) is None:
            raise PluginError("espeak-ng is not installed", _INSTALL)
        wave = self._run(self._voice(language), text)
        try:
            return decode(wave)
        except ValueError as error:
            raise PluginError(f"espeak-ng made no sound of {text!r}", _INSTALL) from error

    def close(self) -> None:
        """Each sentence is a process of its own: nothing is held."""

    def _voice(self, language: str) -> str:
        """Its name for ``language``. Raises PluginError where it has none."""
        complaint = ""
        for voice in _names(language):
            try:
                self._run(voice, "")
            except PluginError as error:
                complaint = error.message
            else:
                return voice
        what = f"espeak-ng does not speak {language!r} ({complaint})"
        raise PluginError(what, "espeak-ng --voices lists what it speaks")

    def _run(self, voice: str, text: str) -> bytes:
        """The words go in by stdin: a command line can be read by everybody on the machine."""
        command = [self._program, "-v", voice, "-s", str(self._speed), "-b", "1", "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS, check=True)
        except subprocess.CalledProcessError as error:
            raise PluginError(f"espeak-ng failed: {error.stderr.decode(errors='replace').strip()}", _INSTALL) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PluginError(f"espeak-ng failed: {error}", _INSTALL) from error
        return done.stdout


def _names(language: str) -> Iterator[str]:
    code = language.replace("_", "-").lower()
    yield from dict.fromkeys((_ITS_OWN_NAMES.get(code, code), _ITS_OWN_NAMES.get(base(code), base(code))))
