"""Sound on its way from a voice to a loudspeaker: trimmed, made equally loud, and written as MP3.

What comes out is mono MP3 at 24 kHz and 64 kbit/s: what Google's own voice delivers, what every Cast device plays, and
enough for speech (8 kB a second).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import AudioFrame

RATE = 24_000
BIT_RATE = 64_000
LOUDNESS = -18.0
"""Of the words, in dB below full scale (mean power): as loud as speech gets before its peaks are bent much."""
PEAK = -1.0
"""What no sample exceeds, dB below full scale."""
TAIL = 0.3
"""Seconds of silence after the words: some devices drop what is still in their buffer."""
_BLOCK = 0.02
_AUDIBLE = 10 ** (-45 / 20)
"""A block this much below the loudest counts as silence."""
_CHUNK = 4608
_KNEE = np.float32(0.5)
"""Of full scale: where a peak begins to be bent."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono samples, float32 (n,), full scale -1 to 1; ``rate`` a second."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or self.rate <= 0:
            raise ValueError(f"sound is float32 (n,), not {self.samples.dtype} {self.samples.shape} at {self.rate}")

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def decode(data: bytes | Path, rate: int = RATE) -> Sound:
    """What an MP3 or WAV holds, at ``rate``. Raises ValueError where it is no sound."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    try:
        with av.open(str(data) if isinstance(data, Path) else io.BytesIO(data), "r") as container:
            frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
            frames += resampler.resample(None)
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(f"this is no sound: {error}") from error
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return Sound(np.concatenate(parts).astype(np.float32) if parts else np.empty(0, np.float32), rate)


def finished(sound: Sound, silence: float) -> bytes:
    """``sound`` as the MP3 file that is kept: only its words, at the usual loudness, ``silence`` seconds before them.

    Raises ValueError where nothing is to be heard.
    """
    words = _louder(_trimmed(sound))
    before, after = (np.zeros(round(seconds * sound.rate), np.float32) for seconds in (silence, TAIL))
    return _mp3(Sound(np.concatenate((before, words.samples, after)), sound.rate))


def powers(sound: Sound) -> Samples:
    """Mean power of each 20 ms block, float32."""
    size = max(1, round(_BLOCK * sound.rate))
    blocks = sound.samples[: len(sound.samples) // size * size].reshape(-1, size)
    return np.asarray((blocks**2).mean(axis=1), np.float32)


def _audible(sound: Sound) -> NDArray[np.intp]:
    """The numbers of the blocks that are not silence."""
    power = powers(sound)
    loudest = float(power.max(initial=0.0))
    if loudest < 1e-9:
        raise ValueError("there is nothing to be heard in it")
    return np.flatnonzero(power >= loudest * _AUDIBLE**2)


def _trimmed(sound: Sound) -> Sound:
    """Without the silence at both ends, but for a block on each side."""
    heard, size = _audible(sound), max(1, round(_BLOCK * sound.rate))
    first, last = max(0, heard[0] - 1), heard[-1] + 2
    return Sound(sound.samples[first * size : last * size], sound.rate)


def _louder(sound: Sound) -> Sound:
    """At LOUDNESS, measured over what is audible; single peaks are bent, not cut, to stay below PEAK."""
    power = float(powers(sound)[_audible(sound)].mean())
    samples = sound.samples * np.float32(10 ** (LOUDNESS / 20) / np.sqrt(power))
    size, top = np.abs(samples), np.float32(10 ** (PEAK / 20))
    room = top - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return Sound(np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.float32), sound.rate)


def _mp3(sound: Sound) -> bytes:
    """No tag names what is said: the file tells nothing to whom does not play it."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options={"id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=BIT_RATE)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        frames = [part for frame in _frames(sound) for part in resampler.resample(frame)] + resampler.resample(None)
        for frame in [*frames, None]:
            container.mux(stream.encode(frame))
    return file.getvalue()


def _frames(sound: Sound) -> Iterator[AudioFrame]:
    import av

    for start in range(0, len(sound.samples), _CHUNK):
        samples = np.ascontiguousarray(sound.samples[start : start + _CHUNK]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = sound.rate, start
        yield frame


def length(path: Path) -> float:
    """Seconds that a sound file plays, its silences included. Raises ValueError where it is none."""
    return decode(path).seconds
