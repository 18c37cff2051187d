"""The espeak-ng program: robotic, fast, in over a hundred languages, without a network. Debian: espeak-ng."""

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
_NORMAL, _SLOW = 160, 120
"""Words a minute; espeak-ng's own 175 is hard to follow through a loudspeaker."""
_NAMES = {
    "zh": "cmn", "zh-cn": "cmn", "zh-tw": "cmn", "zh-hk": "yue", "zh-mo": "yue", "no": "nb", "nn": "nb", "iw": "he",
    "pt": "pt-br",
}  # fmt: skip
"""espeak-ng's names of languages for which gTTS has others."""


class EspeakVoice:
    """Speak through espeak-ng, if it is installed.

    Example::

        EspeakVoice(slow=True).say("Anna is at the front door", "en")
    """

    name = "espeak-ng"

    def __init__(self, *, slow: bool = False, program: str = PROGRAM) -> None:
        """``slow``: 120 words a minute instead of 160."""
        self.settings = "slow" if slow else ""
        self._speed = _SLOW if slow else _NORMAL
        self._program = program

    def obstacle(self, language: str) -> PluginError | None:
        """Return why it cannot speak ``language``: not installed, or an unknown language."""
        if shutil.which(self._program) is None:
            return PluginError("espeak-ng is not installed", _INSTALL)
        try:
            self._voice(language)
        except PluginError as error:
            return error
        return None

    def say(self, text: str, language: str) -> Sound:
        """Return ``text`` spoken. Raises PluginError if it is not installed, does not speak ``language``, or fails."""
        if shutil.which(self._program) is None:
            raise PluginError("espeak-ng is not installed", _INSTALL)
        wave = self._run(self._voice(language), text)
        try:
            return decode(wave)
        except ValueError as error:
            raise PluginError(f"espeak-ng produced no sound for {text!r}", _INSTALL) from error

    def close(self) -> None:
        """Do nothing: each sentence has its own process."""

    def _voice(self, language: str) -> str:
        """Return its name for ``language``. Raises PluginError if it has none."""
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
        """Run espeak-ng with ``text`` on stdin: every user of the machine could read a command line. Returns a WAV."""
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
    yield from dict.fromkeys((_NAMES.get(code, code), _NAMES.get(base(code), base(code))))
