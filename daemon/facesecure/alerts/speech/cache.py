"""Recordings on disk: speech/SHA256.mp3 in the state directory, by sentence, language, voice and its settings.

There is no list of what they say, and no name in a file's name or inside it: a sentence finds its recording, never the
other way round. So what nobody needs any more is found by elimination (``sweep``), and that is how a person who is
removed is forgotten: nothing is kept but what those who are left can need.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.speech.voices.base import Voice
from facesecure.util.files import make_private_folders, sync_folder, write_durably

FOLDER = "speech"
RECENT = 120.0
"""Seconds: a recording that was handed out lately may be playing just now."""
_VERSION = 1
"""Of how a recording is made (``sound.finished``): a new number makes all of them anew."""


@dataclass(frozen=True, slots=True)
class CachedSpeech:
    """A recording, and the voice that made it, by its place in the household's order (0 is the one it likes best)."""

    path: Path
    rank: int


class SpeechCache:
    """The recordings that one configuration asks for. Several processes may use them at once."""

    def __init__(
        self,
        state_dir: Path,
        voices: Sequence[Voice],
        language: str = "en",
        silence: float = 0.6,
        max_mb: float = 100.0,
    ) -> None:
        """``voices``, the best first. Nothing is made here before the first ``write``."""
        self._root = state_dir.absolute()
        self.folder = self._root / FOLDER
        self._voices = voices
        self._sound = {"version": _VERSION, "language": language, "silence": silence}
        self._max_bytes = max_mb * 1e6

    def path(self, text: str, voice: Voice) -> Path:
        """Where the recording of ``text`` by ``voice`` is, or would be."""
        said = {**self._sound, "text": text, "voice": voice.name, "settings": voice.settings}
        return self.folder / f"{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}.mp3"

    def find(self, text: str) -> CachedSpeech | None:
        """The best recording of ``text`` that there is."""
        paths = ((rank, self.path(text, voice)) for rank, voice in enumerate(self._voices))
        return next((CachedSpeech(path, rank) for rank, path in paths if path.is_file()), None)

    def touch(self, path: Path) -> None:
        """Note that ``path`` is in use now: it is not swept for a while."""
        with suppress(OSError):  # a read-only disk plays as well
            os.utime(path)

    def write(self, text: str, voice: Voice, mp3: bytes) -> Path:
        """Keep a recording (0600, whole or not at all). Raises OSError."""
        path = self.path(text, voice)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folders(self._root, self.folder)
        write_durably(path, mp3)
        self._trim(path)
        return path

    def sweep(self, texts: Iterable[str], *, spare_recent: bool = True) -> int:
        """Remove whatever is not a recording of one of ``texts``, or by a worse voice than another; returns how many.

        What was in use within ``RECENT`` stays, unless not ``spare_recent``; then worse recordings stay, though.
        """
        kept = set(self._needed(list(texts), best_only=spare_recent))
        doomed = [path for path in self._files() if path not in kept and not (spare_recent and _recent(path))]
        for path in doomed:
            path.unlink(missing_ok=True)
        if doomed:
            sync_folder(self.folder)
        return len(doomed)

    def _needed(self, texts: Sequence[str], *, best_only: bool) -> Iterable[Path]:
        for text in texts:
            best = self.find(text) if best_only else None
            yield from [best.path] if best else (self.path(text, voice) for voice in self._voices)

    def _files(self) -> list[Path]:
        """Half-written ones too."""
        return [path for path in self.folder.iterdir() if path.is_file()] if self.folder.is_dir() else []

    def _trim(self, newest: Path) -> None:
        """Remove what was not used for longest until all fit."""
        found = []
        for path in self._files():
            with suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path.stat().st_size, path))
        excess = sum(size for _, size, _ in found) - self._max_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                excess -= size


def _recent(path: Path) -> bool:
    """A clock that was set back makes it look new, which does no harm."""
    try:
        return path.stat().st_mtime > time.time() - RECENT
    except FileNotFoundError:
        return False
