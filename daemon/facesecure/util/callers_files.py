"""Files that root named on the command line, opened before root's rights were given up.

``CallersFiles`` holds them; ``callers_path`` then returns a path that reads from what is held, so that the code that
reads a photo, a configuration or an export needs to know nothing of this. Files to write are held as drafts, which the
process that stayed root (``util.root_helper``) puts in their place when they are complete.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path, PosixPath
from typing import IO, TYPE_CHECKING, Any

from facesecure.util.trusted_paths import ServiceUser, UntrustedPathError, open_trusted

if TYPE_CHECKING:
    import socket

FINISH, NEW_KEY, USE_KEY, DONE = b"finish ", b"new key ", b"use key", b"done"
"""What may be asked of the process that stayed root, and its answer; another answer is the number of an error."""
MOST_BYTES = 1000
MOST_FILES = 20_000
"""Photos that are held of one folder."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to write: the descriptors of its folder and of the draft in it, and both names."""

    folder: int
    descriptor: int
    temporary: str
    name: str


@dataclass
class CallersFiles:
    """What is held for one command, by the path as the caller wrote it.

    Example::

        files = CallersFiles(ServiceUser(uid, groups))
        files.hold(Path("/root/photos"))
    """

    service: ServiceUser
    opened: dict[str, int] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    key: Path | None = None
    helper: socket.socket | None = None

    def hold(self, path: Path) -> None:
        """Open the file ``path``, or each file in the folder; what cannot or must not be opened as root is left out."""
        with suppress(OSError):
            descriptor = open_trusted(path, self.service)
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                self.opened[str(path)] = descriptor
                return
            self.opened[str(path)] = descriptor
            names = [entry.name for entry in os.scandir(descriptor) if not entry.name.startswith(".")]
            self.folders[str(path)] = [name for name in names[:MOST_FILES] if self._hold_regular(path / name)]

    def hold_draft(self, path: Path) -> None:
        """Create a draft beside ``path``, unless the service's user decides where that is, or it cannot be created."""
        if not path.name or path.is_dir():
            return
        with suppress(OSError):
            folder = open_trusted(path.parent, self.service, os.O_RDONLY | os.O_DIRECTORY)
            temporary = f".{path.name}.{os.urandom(4).hex()}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
            self.drafts[str(path)] = Draft(folder, descriptor, temporary, path.name)

    def _hold_regular(self, path: Path) -> bool:
        """Hold ``path`` if it is a regular file; a pipe is not waited for."""
        try:
            descriptor = open_trusted(path, self.service, os.O_RDONLY | os.O_NONBLOCK)
        except UntrustedPathError:
            return True  # the service's own user opens it
        except OSError:
            return False
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return False
        self.opened[str(path)] = descriptor
        return True

    def finish(self, path: Path) -> None:
        """Put the draft of ``path`` in its place. Raises OSError."""
        self._ask(FINISH + str(list(self.drafts).index(str(path))).encode())

    def write_key(self, path: Path, content: bytes) -> bool:
        """Write the next key to ``path``; return False if that is not beside root's. Raises OSError."""
        if self.helper is None or self.key is None or path != self.next_key:
            return False
        (self.opened[str(path)],) = self._ask(NEW_KEY + content)
        return True

    def replace_key(self, source: Path, target: Path) -> bool:
        """Put the next key in the place of root's; return False if another file is moved. Raises OSError."""
        if self.helper is None or self.key is None or (source, target) != (self.next_key, self.key):
            return False
        self._ask(USE_KEY)
        if (descriptor := self.opened.pop(str(source), None)) is not None:
            self.opened[str(target)] = descriptor
        return True

    @property
    def next_key(self) -> Path | None:
        """Return where the next key is written while keys are changed."""
        return self.key and self.key.with_name(f"{self.key.name}.next")

    def _ask(self, request: bytes) -> list[int]:
        import socket

        if self.helper is None:
            raise OSError("no process has root's rights")
        self.helper.send(request)
        answer, descriptors, _, _ = socket.recv_fds(self.helper, MOST_BYTES, 1)
        if answer != DONE:
            number = int(answer or errno.EPIPE)
            raise OSError(number, os.strerror(number))
        return descriptors


_files: CallersFiles | None = None


def use(files: CallersFiles | None) -> None:
    """Read the caller's files from ``files`` from now on; None: open them by their paths."""
    global _files  # as the process's ids, this is one for the process
    _files = files


def in_use() -> CallersFiles | None:
    """Return what is held for this command; None if root's rights were not given up here."""
    return _files


def opened(path: Path) -> IO[bytes] | None:
    """Return the file ``path`` if it is held, for a library that opens files by itself; None if it is not."""
    return _HeldPath(path).open("rb") if _files is not None and str(path) in _files.opened else None


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, a file that the caller named. Raises OSError."""
    if _files is None or (draft := _files.drafts.get(str(path))) is None:
        path.write_bytes(data)
        return
    with os.fdopen(os.dup(draft.descriptor), "wb") as file:
        file.write(data)
    _files.finish(path)


def callers_path(path: Path) -> Path:
    """Return ``path``, as one that reads what is held if the caller named it."""
    return _HeldPath(path) if _files is not None else path


class _HeldPath(PosixPath):
    """A path whose content is read from what is held; one that is not held is opened like any other."""

    def open(self, mode: str = "r", buffering: int = -1, *how: Any, **more: Any) -> IO[Any]:  # type: ignore[override]
        if (descriptor := self._descriptor()) is None:
            return super().open(mode, buffering, *how, **more)
        with suppress(OSError):  # a pipe
            os.lseek(descriptor, 0, os.SEEK_SET)
        file = os.fdopen(os.dup(descriptor), "rb", buffering)
        return file if "b" in mode else TextIOWrapper(file, *how, **more)

    def read_bytes(self) -> bytes:
        with self.open("rb") as file:
            return bytes(file.read())

    def read_text(self, encoding: str | None = None, errors: str | None = None, *more: Any) -> str:
        with self.open("r", -1, encoding, errors, *more) as file:
            return str(file.read())

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        descriptor = self._descriptor()
        return super().stat(follow_symlinks=follow_symlinks) if descriptor is None else os.fstat(descriptor)

    def exists(self, **how: Any) -> bool:
        return self._descriptor() is not None or super().exists(**how)

    def is_file(self, **how: Any) -> bool:
        descriptor = self._descriptor()
        return super().is_file(**how) if descriptor is None else stat.S_ISREG(os.fstat(descriptor).st_mode)

    def is_dir(self, **how: Any) -> bool:
        descriptor = self._descriptor()
        return super().is_dir(**how) if descriptor is None else stat.S_ISDIR(os.fstat(descriptor).st_mode)

    def iterdir(self) -> Iterator[_HeldPath]:  # type: ignore[override]
        names = _files.folders.get(str(self)) if _files is not None else None
        return (type(self)(path) for path in super().iterdir()) if names is None else (
            type(self)(self, name) for name in names
        )  # fmt: skip

    def replace(self, target: Any) -> Path:  # type: ignore[override]
        if _files is None or not _files.replace_key(self, Path(target)):
            super().replace(target)
        return type(self)(target)

    def _descriptor(self) -> int | None:
        return None if _files is None else _files.opened.get(str(self))
