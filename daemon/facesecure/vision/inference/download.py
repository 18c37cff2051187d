"""Download a file of known size and SHA-256, resuming where a lost connection left off.

The bytes go to NAME.part, which is renamed only when it is complete and its hash is right. So a file with the final
name is always right, and a former one stays until then.
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
"""Free space left for the daemon's sightings: a download must not fill the disk."""

Progress = Callable[[int, int], None]
"""Receives the bytes so far and the bytes in all."""


def ignore_progress(done: int, total: int) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download, pinned by size and SHA-256."""

    url: str
    name: str
    size: int
    sha256: str


def fetch(remote: RemoteFile, into: Path, on_progress: Progress = ignore_progress, *, timeout: float = TIMEOUT) -> Path:
    """Download ``remote`` into the folder ``into`` (made if missing), and return the path of the verified file.

    Do nothing if the right file exists. ``timeout`` is the longest silence of the server in seconds. Raises
    DownloadError with a hint: no network, no such file, interrupted (run again to resume), another file than the pinned
    one (nothing is kept), no space, a folder that cannot be written, or another process downloading it.
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
        raise _local_error(into, error) from error
    return target


@contextmanager
def _part(path: Path) -> Iterator[BinaryIO]:
    """Open the partial file for reading and appending, locked; it is kept if it can be resumed."""
    with path.open("a+b") as part:
        _lock(part, path)
        try:
            yield part
        except _WrongFileError as error:
            path.unlink()
            raise DownloadError(
                str(error), "run it again; if it fails again, the file at its source has changed"
            ) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                path.unlink(missing_ok=True)  # the daemon needs the space
            raise
        finally:
            if path.exists() and not path.stat().st_size:
                path.unlink()


def _lock(part: BinaryIO, path: Path) -> None:
    """Lock the file. Raises DownloadError if another process has it, or has just renamed it."""
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(part.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise DownloadError(f"another process is downloading {path.stem}", "wait until it has finished")


class _WrongFileError(Exception):
    """The bytes received are not those of the pinned file; nothing of them is kept."""


def _fill(part: BinaryIO, remote: RemoteFile, on_progress: Progress, timeout: float) -> None:
    """Append to ``part`` the missing bytes of ``remote``."""
    have = part.seek(0, os.SEEK_END)
    if have > remote.size:
        have = part.truncate(0)
    if have == remote.size:
        return
    _require_space(Path(part.name), remote.size - have)
    with _request(remote, have, timeout) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = part.truncate(0)  # this server does not support resuming
        _require_fitting(response, remote, have)
        for chunk in _chunks(response, remote):
            part.write(chunk)
            have += len(chunk)
            on_progress(min(have, remote.size), remote.size)
    part.flush()
    if have < remote.size:
        raise _cut_off(remote, f"the connection ended after {have:,} of {remote.size:,} bytes")
    if have > remote.size:
        raise _WrongFileError(f"{remote.url} sends more than the {remote.size:,} bytes that {remote.name} has")


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
    """Check that the response is the rest of the file, before its bytes are appended. Raises _WrongFileError."""
    offered = None if response.length is None else response.length + have
    if offered not in (None, remote.size):
        raise _WrongFileError(f"{remote.url} has {offered:,} bytes, not the {remote.size:,} of {remote.name}")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if start is None or int(start[1]) != have:
            raise _WrongFileError(f"{remote.url} resumes in the wrong place")


def _require_space(part: Path, missing: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < missing + SPARE_BYTES:
        needed = f"{(missing + SPARE_BYTES) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
        raise DownloadError(f"there is not enough space in {part.parent}: {needed}", "free some space and run it again")


def _verify(part: BinaryIO, remote: RemoteFile) -> None:
    found = _sha256(Path(part.name))
    if found != remote.sha256:
        raise _WrongFileError(f"{remote.url} is not {remote.name}: its SHA-256 is {found}, not {remote.sha256}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cut_off(remote: RemoteFile, reason: str) -> DownloadError:
    return DownloadError(f"the download of {remote.name} was interrupted: {reason}", "run it again to resume")


def _refusal(remote: RemoteFile, status: int) -> DownloadError:
    if status in (404, 410):
        return DownloadError(f"{remote.url} does not exist (any more)", "a newer facesecure may know its new address")
    words = http.client.responses.get(status, "unknown status")
    return DownloadError(f"the server refuses {remote.url}: {status} {words}", "try again later")


def _unreachable(remote: RemoteFile, error: Exception) -> DownloadError:
    reason = getattr(error, "reason", error)
    hint = "check the network and run it again"
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = "check the clock (`date`): with a wrong date a certificate looks invalid"
    return DownloadError(f"cannot reach {remote.url}: {_words(reason)}", hint)


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "the server does not respond"
    if isinstance(error, socket.gaierror):
        return "its name cannot be looked up"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _local_error(into: Path, error: OSError) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(f"there is no space left in {into}", "free some space and run it again")
    return DownloadError(
        f"cannot write in {into}: {error.strerror}", "check its owner, or choose another with --state-dir DIR"
    )
