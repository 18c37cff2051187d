"""Fetches one file of known size and SHA-256, resuming where a cut connection left off.

The bytes go to NAME.part; only when all are there and their hash is right does the file get its name. So what has
the name is right, whatever happened, and a file that was there before stays until then.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facesecure import __version__
from facesecure.domain.errors import DownloadError

CHUNK = 1 << 16
TIMEOUT = 20.0
SPARE_BYTES = 16 << 20
"""Room left for the daemon's own sightings; a download must not take the last of the disk."""

Progress = Callable[[int, int], None]
"""Called with the bytes there so far, and the bytes in all."""


def ignore_progress(done: int, total: int) -> None:
    """For who does not want to know."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file somewhere else, pinned: what does not have this size and hash is not it."""

    url: str
    name: str
    size: int
    sha256: str


def fetch(remote: RemoteFile, into: Path, on_progress: Progress = ignore_progress, *, timeout: float = TIMEOUT) -> Path:
    """Fetch ``remote`` into the folder ``into`` (made if missing), and return the path of the verified file.

    Does nothing where it is there and right. ``timeout`` is how long the server may be silent, in seconds.
    Raises DownloadError, with a hint: no network, no such file, cut off (run again to resume), not the file that
    was promised (nothing is kept), no space, a folder that cannot be written, or somebody else fetching it.
    """
    target = into / remote.name
    if target.is_file() and _sha256(target) == remote.sha256:
        on_progress(remote.size, remote.size)
        return target
    try:
        into.mkdir(parents=True, exist_ok=True)
        with _part(into / f"{remote.name}.part") as part:
            _fill(part, remote, on_progress, timeout)
            _verify(part, remote)
            os.fsync(part.fileno())
            Path(part.name).replace(target)
    except OSError as error:
        raise _local_trouble(into, error) from error
    return target


@contextmanager
def _part(path: Path) -> Iterator[BinaryIO]:
    """The half-fetched file, open for reading and appending, ours alone, and kept if it is worth resuming."""
    with path.open("a+b") as part:
        _take(part, path)
        try:
            yield part
        except _NotTheFile as error:
            path.unlink()
            raise DownloadError(str(error), "run it again; if it stays so, its source has changed") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                path.unlink(missing_ok=True)  # the daemon needs what room there is
            raise
        finally:
            if path.exists() and not path.stat().st_size:
                path.unlink()


def _take(part: BinaryIO, path: Path) -> None:
    """Lock the file; another process that has it, or had and renamed it just now, is told."""
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(part.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise DownloadError(f"somebody else is fetching {path.stem} right now", "wait for that to end")


class _NotTheFile(Exception):
    """What came cannot become the file, so nothing of it is worth keeping."""


def _fill(part: BinaryIO, remote: RemoteFile, on_progress: Progress, timeout: float) -> None:
    """Append to ``part`` what it lacks of ``remote``."""
    have = part.seek(0, os.SEEK_END)
    if have > remote.size:
        have = part.truncate(0)
    if have == remote.size:
        return
    _require_space(Path(part.name), remote.size - have)
    with _request(remote, have, timeout) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = part.truncate(0)  # this server does not resume
        _require_fitting(response, remote, have)
        for chunk in _chunks(response, remote):
            part.write(chunk)
            have += len(chunk)
            on_progress(min(have, remote.size), remote.size)
    part.flush()
    if have < remote.size:
        raise _cut_off(remote, f"the connection ended after {have:,} of {remote.size:,} bytes")
    if have > remote.size:
        raise _NotTheFile(f"{remote.url} sends more than the {remote.size:,} bytes that {remote.name} has")


def _request(remote: RemoteFile, have: int, timeout: float) -> http.client.HTTPResponse:
    headers = {"User-Agent": f"facesecure/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(remote.url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refusal(remote, error.code) from error
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise _unreachable(remote, error) from error
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _chunks(response: http.client.HTTPResponse, remote: RemoteFile) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _cut_off(remote, _words(error)) from error


def _require_fitting(response: http.client.HTTPResponse, remote: RemoteFile, have: int) -> None:
    """Refuse what is not the rest of the file, before its bytes are mixed with ours."""
    offered = None if response.length is None else response.length + have
    if offered not in (None, remote.size):
        raise _NotTheFile(f"{remote.url} has {offered:,} bytes, not the {remote.size:,} of {remote.name}")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if start is None or int(start[1]) != have:
            raise _NotTheFile(f"{remote.url} resumes in the wrong place")


def _require_space(part: Path, missing: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < missing + SPARE_BYTES:
        needed = f"{(missing + SPARE_BYTES) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
        raise DownloadError(f"there is not enough space in {part.parent}: {needed}", "free some space and run it again")


def _verify(part: BinaryIO, remote: RemoteFile) -> None:
    found = _sha256(Path(part.name))
    if found != remote.sha256:
        raise _NotTheFile(f"{remote.url} is not {remote.name}: its SHA-256 is {found}, not {remote.sha256}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cut_off(remote: RemoteFile, reason: str) -> DownloadError:
    return DownloadError(f"{remote.name} was cut off: {reason}", "run it again to resume")


def _refusal(remote: RemoteFile, status: int) -> DownloadError:
    if status in (404, 410):
        return DownloadError(f"there is no {remote.url} (any more)", "a newer facesecure may know where it went")
    words = http.client.responses.get(status, "unknown status")
    return DownloadError(f"the server refuses {remote.url}: {status} {words}", "try again later")


def _unreachable(remote: RemoteFile, error: Exception) -> DownloadError:
    reason = getattr(error, "reason", error)
    hint = "check the network and run it again"
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = "check the clock (date): a certificate looks wrong where the date is"
    return DownloadError(f"cannot reach {remote.url}: {_words(reason)}", hint)


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "the server says nothing"
    if isinstance(error, socket.gaierror):
        return "its name cannot be looked up"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _local_trouble(into: Path, error: OSError) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(f"there is no space left in {into}", "free some space and run it again")
    return DownloadError(
        f"cannot write in {into}: {error.strerror}", "check who owns it: --state-dir DIR names another"
    )
