"""A loudspeaker on this machine, by ALSA: the same recordings as Google Home, and no network at all.

Sound goes to ALSA's own ``aplay`` (Debian: alsa-utils), which ends when the last sample was played: an alert counts as
delivered when it was heard out. Recordings are made 48 kHz stereo, which every sound card takes as it is.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from facesecure.alerts.plugins.api import PluginConfig, PluginContext
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError

PROGRAM = "aplay"
RATE = 48_000
_FORMAT = ("--file-type=raw", "--format=S16_LE", f"--rate={RATE}", "--channels=2")
_MOMENT = 0.05
"""Seconds of silence that tell whether a device opens."""
_CHECK_SECONDS = 3.0
_WORTH_NAMING = ("default", "plughw:", "sysdefault:", "pulse", "pipewire")
_MANY = 6


class SpeakerPlugin:
    """Says alerts through a loudspeaker that is plugged into this machine."""

    speaks = True

    class Config(PluginConfig):
        """[plugins.speaker]"""

        device: str = Field("default", min_length=1, description="ALSA's name of the device; aplay -L lists them")
        volume: float = Field(
            1.0, ge=0, le=1, description="of the recording, 0 to 1; the card's own is set with alsamixer"
        )
        attempt_seconds: float = Field(20.0, gt=0, le=600, description="seconds one announcement may take in all")
        expires: float = Field(60.0, gt=0, description="seconds after which an alert is no longer worth saying")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._context: PluginContext | None = None

    def attach(self, context: PluginContext) -> None:
        self._context = context

    def check(self) -> None:
        """Raises PluginError where the device cannot be opened now; not a sound is made."""
        self._play(bytes(4 * round(_MOMENT * RATE)), _CHECK_SECONDS)

    def send(self, alert: Alert) -> None:
        """Say it, and return when it was heard out. Raises PluginError."""
        if self._context is None:
            raise PluginError("the speaker has no voice: nothing was attached to it")
        sound = self._samples(self._context, alert)
        self._context.progress(alert, "playing")
        self._play(sound, self._config.attempt_seconds)
        self._context.progress(alert, "finished")

    def _samples(self, context: PluginContext, alert: Alert) -> bytes:
        """What to say: 16 bit stereo, little-endian."""
        from facesecure.alerts.speech.audio import decode

        recording = context.speech.recording(alert.speech)
        try:
            mono = decode(recording, RATE).samples * (32767 * self._config.volume)
        except ValueError as error:
            context.speech.length(recording)  # has a damaged one made anew the next time
            raise PluginError(f"the recording {recording} cannot be played: {error}") from error
        return np.repeat(np.clip(mono, -32767, 32767), 2).astype("<i2").tobytes()

    def _play(self, sound: bytes, seconds: float) -> None:
        device = self._config.device
        command = (PROGRAM, "--quiet", f"--device={device}", "--fatal-errors", *_FORMAT)
        try:
            subprocess.run(command, input=sound, capture_output=True, timeout=seconds, check=True)
        except FileNotFoundError as error:
            raise PluginError("aplay is not installed", "install it: sudo apt install alsa-utils") from error
        except subprocess.TimeoutExpired as error:
            raise PluginError(
                f"the sound device {device!r} did not finish within {seconds:g} s",
                f"try it: speaker-test -D {device} -c 2 -l 1",
            ) from error
        except subprocess.CalledProcessError as error:
            raise _refused(device, error.stderr.decode(errors="replace")) from error


def _refused(device: str, said: str) -> PluginError:
    """What aplay said, and what to do about it."""
    reason = said.strip().splitlines()[-1].split(": ", 1)[-1] if said.strip() else "aplay failed"
    if "Permission denied" in said:
        hint = "the service's user must be in the group audio: sudo usermod -aG audio facesecure"
    elif "busy" in said:
        hint = "something else plays through it; a name that begins with plug:dmix or default shares it"
    elif names := devices():
        hint = f"[plugins.speaker] device; there are: {', '.join(names)}"
    else:
        hint = "there is no sound card: plug one in, or on a Pi set dtparam=audio=on in /boot/firmware/config.txt"
    return PluginError(f"the sound device {device!r} cannot be used: {reason}", hint)


def devices() -> list[str]:
    """The names of devices worth trying, ALSA's own; empty where there is no sound card."""
    if shutil.which(PROGRAM) is None:
        return []
    try:
        listed = subprocess.run((PROGRAM, "-L"), capture_output=True, timeout=_CHECK_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return _worth_naming(listed.decode(errors="replace").splitlines())


def _worth_naming(lines: Sequence[str]) -> list[str]:
    """A name begins its line; what describes it is indented."""
    return [line for line in lines if line.startswith(_WORTH_NAMING)][:_MANY]
