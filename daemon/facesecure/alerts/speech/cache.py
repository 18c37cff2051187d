"""Recordings on disk: speech/SHA256.mp3 in the state directory, by sentence, language, voice and voice settings.

No list says what they contain, and no name is in a file's name or metadata: a sentence leads to its recording, never
the reverse. Recordings that are no longer needed are therefore found by elimination (``sweep``), which is also how a
person who is removed is forgotten: only recordings that the remaining people can need are kept.

Recordings are signed (``storage.signed_recordings``): one that was changed or put there by others is not played, and is
made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.speech.voices.base import Voice
from facesecure.domain.errors import StoreError
from facesecure.storage.signed_recordings import FOLDER, is_genuine, sign
from facesecure.util.files import make_private_folders, sync_folder

__all__ = ["FOLDER", "CachedSpeech", "SpeechCache"]

RECENT = 120.0
"""Seconds after its last use in which a recording may still be playing."""
_VERSION = 1
"""Version of how a recording is made (``audio.finished``): a new number makes all of them again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CachedSpeech:
    """A recording, and the rank of the voice that made it: 0 is the household's first choice."""

    path: Path
    rank: int


class SpeechCache:
    """The recordings of one configuration. Several processes may use them at once.

    Example::

        cache = SpeechCache(state_dir, voices, "en")
        cache.write("A stranger is at the front door", voices[0], mp3)
        cache.find("A stranger is at the front door").path
    """

    def __init__(
        self,
        state_dir: Path,
        voices: Sequence[Voice],
        language: str = "en",
        silence: float = 0.6,
        max_mb: float = 100.0,
    ) -> None:
        """Use ``voices``, the best first. The folder is created by the first ``write``.

        ``silence``: seconds before the words. ``max_mb``: size of all recordings, in megabytes.
        """
        self._root = state_dir.absolute()
        self.folder = self._root / FOLDER
        self._voices = voices
        self._sound = {"version": _VERSION, "language": language, "silence": silence}
        self._max_bytes = max_mb * 1e6

    def path(self, text: str, voice: Voice) -> Path:
        """Return the path of the recording of ``text`` by ``voice``, whether it exists or not."""
        key = {**self._sound, "text": text, "voice": voice.name, "settings": voice.settings}
        return self.folder / f"{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()}.mp3"

    def find(self, text: str) -> CachedSpeech | None:
        """Return the best recording of ``text``, None if there is none."""
        paths = ((rank, self.path(text, voice)) for rank, voice in enumerate(self._voices))
        return next((CachedSpeech(path, rank) for rank, path in paths if _usable(path)), None)

    def touch(self, path: Path) -> None:
        """Note that ``path`` is in use now, so that it is not swept for a while."""
        with suppress(OSError):  # it can be played from a read-only disk as well
            os.utime(path)

    def write(self, text: str, voice: Voice, mp3: bytes) -> Path:
        """Store a recording (0600) atomically, signed. Returns its path. Raises OSError or StoreError."""
        path = self.path(text, voice)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folders(self._root, self.folder)
        sign(path, mp3)
        self._trim(path)
        return path

    def sweep(self, texts: Iterable[str], *, spare_recent: bool = True) -> int:
        """Remove recordings of other sentences than ``texts``, and those by a worse voice. Returns the number of files.

        Recordings in use within ``RECENT`` seconds are kept. Without ``spare_recent`` they are removed too, but then
        recordings by worse voices are kept.
        """
        kept = set(self._needed(list(texts), best_only=spare_recent))
        removed = [path for path in self._files() if path not in kept and not (spare_recent and _recent(path))]
        for path in removed:
            path.unlink(missing_ok=True)
        if removed:
            sync_folder(self.folder)
        return len(removed)

    def _needed(self, texts: Sequence[str], *, best_only: bool) -> Iterable[Path]:
        for text in texts:
            best = self.find(text) if best_only else None
            yield from [best.path] if best else (self.path(text, voice) for voice in self._voices)

    def _files(self) -> list[Path]:
        """Return all files, including half-written ones."""
        return [path for path in self.folder.iterdir() if path.is_file()] if self.folder.is_dir() else []

    def _trim(self, newest: Path) -> None:
        """Remove the least recently used recordings until the rest fits."""
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


def _usable(path: Path) -> bool:
    """Return whether ``path`` is a recording that facesecure made; log an error if others made or changed it."""
    try:
        genuine = path.is_file() and is_genuine(path)
    except (OSError, StoreError) as error:
        _log.warning("the recording %s cannot be used: %s", path, error)
        return False
    if not genuine and path.exists():
        _log.error("the recording %s was made or changed outside of facesecure: it is not played", path)
    return genuine


def _recent(path: Path) -> bool:
    """Return whether ``path`` was used lately; after the clock was set back it seems so, which does no harm."""
    try:
        return path.stat().st_mtime > time.time() - RECENT
    except FileNotFoundError:
        return False
