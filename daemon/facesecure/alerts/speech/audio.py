"""Post-processing of speech: trim silence, normalise loudness, and encode as MP3.

The result is mono MP3 at 24 kHz and 64 kbit/s, which is what Google's own voice delivers, what every Cast device plays,
and enough for speech (8 kB a second).
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
"""Mean power of the words, in dB relative to full scale: as loud as speech gets before its peaks are bent much."""
PEAK = -1.0
"""The highest level of a sample, in dB relative to full scale."""
TAIL = 0.3
"""Seconds of silence after the words: some devices drop what is still in their buffer."""
_BLOCK = 0.02
_AUDIBLE = 10 ** (-45 / 20)
"""A block this much below the loudest counts as silence."""
_CHUNK = 4608
_KNEE = np.float32(0.5)
"""Share of full scale above which peaks are bent."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono samples, float32 (n,), full scale -1 to 1, and their ``rate`` in Hz."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or self.rate <= 0:
            raise ValueError(f"sound is float32 (n,), not {self.samples.dtype} {self.samples.shape} at {self.rate}")

    @property
    def seconds(self) -> float:
        """The duration."""
        return len(self.samples) / self.rate


def decode(data: bytes | Path, rate: int = RATE) -> Sound:
    """Decode an MP3 or WAV, given as bytes or a file, and resample it to ``rate`` Hz. Raises ValueError."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    try:
        file = str(data) if isinstance(data, Path) else io.BytesIO(data)
        with av.open(file, "r", metadata_errors="replace") as container:
            frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
            frames += resampler.resample(None)
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(f"this is not a sound file: {error}") from error
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return Sound(np.concatenate(parts).astype(np.float32) if parts else np.empty(0, np.float32), rate)


def finished(sound: Sound, silence: float) -> bytes:
    """Return ``sound`` as an MP3 file: its words at the standard loudness, after ``silence`` seconds.

    Raises ValueError if the sound is silent.
    """
    words = _normalized(_trimmed(sound))
    before, after = (np.zeros(round(seconds * sound.rate), np.float32) for seconds in (silence, TAIL))
    return _mp3(Sound(np.concatenate((before, words.samples, after)), sound.rate))


def powers(sound: Sound) -> Samples:
    """Return the mean power of each 20 ms block, float32 (blocks,)."""
    size = max(1, round(_BLOCK * sound.rate))
    blocks = sound.samples[: len(sound.samples) // size * size].reshape(-1, size)
    return np.asarray((blocks**2).mean(axis=1), np.float32)


def _audible(sound: Sound) -> NDArray[np.intp]:
    """Return the indices of the blocks that are not silent. Raises ValueError if all are."""
    power = powers(sound)
    loudest = float(power.max(initial=0.0))
    if loudest < 1e-9:
        raise ValueError("it contains no audible sound")
    return np.flatnonzero(power >= loudest * _AUDIBLE**2)


def _trimmed(sound: Sound) -> Sound:
    """Remove the silence at both ends, except for one block."""
    heard, size = _audible(sound), max(1, round(_BLOCK * sound.rate))
    first, last = max(0, heard[0] - 1), heard[-1] + 2
    return Sound(sound.samples[first * size : last * size], sound.rate)


def _normalized(sound: Sound) -> Sound:
    """Scale to LOUDNESS, measured over the audible blocks; peaks are bent, not clipped, to stay below PEAK."""
    power = float(powers(sound)[_audible(sound)].mean())
    samples = sound.samples * np.float32(10 ** (LOUDNESS / 20) / np.sqrt(power))
    size, top = np.abs(samples), np.float32(10 ** (PEAK / 20))
    room = top - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return Sound(np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.float32), sound.rate)


def _mp3(sound: Sound) -> bytes:
    """Encode without tags: the sentence must not be readable in the file."""
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
    """Return how many seconds a sound file plays, its silences included. Raises ValueError if it is damaged."""
    return decode(path).seconds
