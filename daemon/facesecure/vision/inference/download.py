"""Download a file of known size and SHA-256 over HTTPS, resuming where a lost connection left off.

The bytes go to NAME.part, which is renamed only when it is complete and its hash is right. So a file with the final
name is always right, and a former one stays until then. No more bytes are taken than the file has, and no more time
than its size allows, whatever the server says.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from facesecure import __version__
from facesecure.domain.errors import DownloadError
from facesecure.util.files import create_file, open_own
from facesecure.util.https import InsecureAddressError, Limits, TooSlowError, open_https
from facesecure.util.rounding import apart

CHUNK = 1 << 16
TIMEOUT = 20.0
SLOWEST = 8192
"""Bytes a second. A server that is slower, the first minute apart, is given up; the next run resumes."""
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


def fetch(
    remote: RemoteFile,
    into: Path,
    on_progress: Progress = ignore_progress,
    *,
    timeout: float = TIMEOUT,
    total: float | None = None,
) -> Path:
    """Download ``remote`` into the folder ``into`` (made if missing), and return the path of the verified file.

    Do nothing if the right file exists. ``timeout`` is the longest silence of the server in seconds, ``total`` the
    longest time in all, by default a minute and what ``SLOWEST`` needs. Raises DownloadError with a hint: no network,
    no such file, interrupted (run again to resume), another file than the pinned one (nothing is kept), no space, a
    folder that cannot be written, or another process downloading it.
    """
    target = into / remote.name
    if _is_right(target, remote):
        on_progress(remote.size, remote.size)
        return target
    try:
        into.mkdir(parents=True, exist_ok=True)
        with _part(into / f"{remote.name}.part") as part:
            limits = Limits(timeout, 60 + remote.size / SLOWEST if total is None else total)
            _fill(part, into, remote, on_progress, limits)
            _verify(part, remote)
            _publish(part, into / f"{remote.name}.part", target)
    except OSError as error:
        raise _local_error(into, error) from error
    return target


@contextmanager
def _part(path: Path) -> Iterator[BufferedRandom]:
    """Open the partial file for reading and appending, locked; it is kept if it can be resumed."""
    with os.fdopen(_opened(path), "r+b") as part:
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


def _opened(path: Path) -> int:
    """Open the partial file of an earlier run, or a new one in place of anything that is not this user's own file."""
    try:
        descriptor = open_own(path, os.O_RDWR)
    except OSError:
        return create_file(path)
    if os.fstat(descriptor).st_uid == os.geteuid():
        return descriptor
    os.close(descriptor)
    return create_file(path)


def _lock(part: BufferedRandom, path: Path) -> None:
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


def _fill(part: BufferedRandom, into: Path, remote: RemoteFile, on_progress: Progress, limits: Limits) -> None:
    """Append to ``part`` the missing bytes of ``remote``."""
    have = part.seek(0, os.SEEK_END)
    if have > remote.size:
        have = part.seek(part.truncate(0))
    if have == remote.size:
        return
    _require_space(into, remote.size - have)
    with _request(remote, have, limits) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = part.seek(part.truncate(0))  # this server does not support resuming
        _require_fitting(response, remote, have)
        for chunk in _chunks(response, remote):
            have += len(chunk)
            if have > remote.size:
                raise _WrongFileError(f"{remote.url} sends more than the {remote.size:,} bytes that {remote.name} has")
            part.write(chunk)
            on_progress(have, remote.size)
    part.flush()
    if have < remote.size:
        raise _cut_off(remote, f"the connection ended after {have:,} of {remote.size:,} bytes")


def _request(remote: RemoteFile, have: int, limits: Limits) -> http.client.HTTPResponse:
    headers = {"User-Agent": f"facesecure/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        return open_https(remote.url, limits, headers)
    except InsecureAddressError as error:
        hint = (
            f"use an https address, or put the file at STATE_DIR/models/{remote.name} and run it again: it is verified"
        )
        raise DownloadError(f"cannot download {remote.name}: {error.reason}", hint) from error
    except urllib.error.HTTPError as error:
        error.close()
        raise _refusal(remote, error.code) from error
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise _unreachable(remote, error) from error


def _chunks(response: http.client.HTTPResponse, remote: RemoteFile) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _cut_off(remote, _words(error)) from error


def _require_fitting(response: http.client.HTTPResponse, remote: RemoteFile, have: int) -> None:
    """Check that the response is the rest of the file, before its bytes are appended. Raises _WrongFileError."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise _WrongFileError(f"{remote.url} is sent compressed, which was not asked for")
    offered = None if response.length is None else response.length + have
    if offered not in (None, remote.size):
        raise _WrongFileError(f"{remote.url} has {offered:,} bytes, not the {remote.size:,} of {remote.name}")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if start is None or int(start[1]) != have:
            raise _WrongFileError(f"{remote.url} resumes in the wrong place")


def _require_space(into: Path, missing: int) -> None:
    free = shutil.disk_usage(into).free
    if free < missing + SPARE_BYTES:
        has, wants = apart(free / 1e6, (missing + SPARE_BYTES) / 1e6, 0)
        raise DownloadError(
            f"there is not enough space in {into}: {wants} MB are needed, {has} MB are free",
            "free some space and run it again",
        )


def _verify(part: BufferedRandom, remote: RemoteFile) -> None:
    """Hash what was written, by its descriptor: the name may lead to another file by now."""
    part.seek(0)
    found = hashlib.file_digest(part, "sha256").hexdigest()
    if found != remote.sha256:
        raise _WrongFileError(f"{remote.url} is not {remote.name}: its SHA-256 is {found}, not {remote.sha256}")


def _publish(part: BufferedRandom, path: Path, target: Path) -> None:
    """Give the verified file its name. Raises DownloadError if ``path`` is another file by now."""
    os.fsync(part.fileno())
    if not os.path.samestat(os.fstat(part.fileno()), path.lstat()):
        raise DownloadError(f"another process has changed {path.name}", "run it again")
    path.replace(target)


def _is_right(path: Path, remote: RemoteFile) -> bool:
    if not path.is_file() or path.stat().st_size != remote.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == remote.sha256


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
    if isinstance(error, TimeoutError) and not isinstance(error, TooSlowError):
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
