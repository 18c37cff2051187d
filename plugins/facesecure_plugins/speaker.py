"""A loudspeaker on this machine, through ALSA: the same recordings as on Google Home, without a network.

Sound goes to ALSA's own ``aplay`` (Debian: alsa-utils), which ends when the last sample was played: an alert counts as
delivered when it was played to its end. Recordings are converted to 48 kHz stereo, which every sound card supports.
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
_CHECK_SILENCE = 0.05
"""Seconds of silence that are played to check whether a device opens."""
_CHECK_SECONDS = 3.0
_USEFUL_PREFIXES = ("default", "plughw:", "sysdefault:", "pulse", "pipewire")
_MAX_SUGGESTIONS = 6


class SpeakerPlugin:
    """Announces every alert on a loudspeaker that is connected to this machine.

    Example::

        plugin = SpeakerPlugin(SpeakerPlugin.Config(device="plughw:CARD=Headphones"))
        plugin.attach(context)
        plugin.send(alert)
    """

    speaks = True

    class Config(PluginConfig):
        """[plugins.speaker]."""

        device: str = Field("default", min_length=1, description="ALSA's name of the device; aplay -L lists them")
        volume: float = Field(
            1.0, ge=0, le=1, description="volume of the recording, 0 to 1; that of the card is set with alsamixer"
        )
        attempt_seconds: float = Field(20.0, gt=0, le=600, description="seconds one announcement may take in all")
        expires: float = Field(60.0, gt=0, description="seconds after which an alert is no longer worth announcing")

    def __init__(self, config: Config) -> None:
        """Store the settings."""
        self._config = config
        self._context: PluginContext | None = None

    def attach(self, context: PluginContext) -> None:
        """Store the speech service."""
        self._context = context

    def check(self) -> None:
        """Raise PluginError if the device cannot be opened now. Makes no sound."""
        self._play(bytes(4 * round(_CHECK_SILENCE * RATE)), _CHECK_SECONDS)

    def send(self, alert: Alert) -> None:
        """Announce ``alert`` and return when it was played to its end. Raises PluginError."""
        if self._context is None:
            raise PluginError("the speaker has no speech service")
        sound = self._samples(self._context, alert)
        self._context.progress(alert, "playing")
        self._play(sound, self._config.attempt_seconds)
        self._context.progress(alert, "finished")

    def _samples(self, context: PluginContext, alert: Alert) -> bytes:
        """Return the announcement as 16 bit stereo samples, little-endian."""
        from facesecure.alerts.speech.audio import decode

        recording = context.speech.recording(alert.speech)
        try:
            mono = decode(recording, RATE).samples * (32767 * self._config.volume)
        except ValueError as error:
            context.speech.length(recording)  # removes a damaged one, which is then made again
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


def _refused(device: str, output: str) -> PluginError:
    """Return the error for what aplay printed, with a hint."""
    reason = output.strip().splitlines()[-1].split(": ", 1)[-1] if output.strip() else "aplay failed"
    if "Permission denied" in output:
        hint = "the service's user must be in the group audio: sudo usermod -aG audio facesecure"
    elif "busy" in output:
        hint = "another program is using it; names that begin with plug:dmix or default can be shared"
    elif names := devices():
        hint = f"[plugins.speaker] device; there are: {', '.join(names)}"
    else:
        hint = "there is no sound card: plug one in, or on a Pi set dtparam=audio=on in /boot/firmware/config.txt"
    return PluginError(f"the sound device {device!r} cannot be used: {reason}", hint)


def devices() -> list[str]:
    """Return ALSA's names of the devices worth trying; none without a sound card."""
    if shutil.which(PROGRAM) is None:
        return []
    try:
        listed = subprocess.run((PROGRAM, "-L"), capture_output=True, timeout=_CHECK_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return _useful(listed.decode(errors="replace").splitlines())


def _useful(lines: Sequence[str]) -> list[str]:
    """Select the useful names of ``aplay -L``, which indents everything except names."""
    return [line for line in lines if line.startswith(_USEFUL_PREFIXES)][:_MAX_SUGGESTIONS]
