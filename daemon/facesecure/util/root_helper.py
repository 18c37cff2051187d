"""The process that stays root while a command runs as the service's user, for what only root may finish.

It knows three requests, and takes nothing from them but the content of a key: put a draft that root made before in its
place, write the next key beside root's, put the next key in the place of root's. When the command ends, it removes the
drafts that were not finished, and ends too.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from typing import NoReturn

from facesecure.util.callers_files import DONE, FINISH, MOST_BYTES, NEW_KEY, USE_KEY, CallersFiles, Draft
from facesecure.util.files import sync_folder, write_durably

_KEY_LENGTH = 200


def start(files: CallersFiles) -> None:
    """Fork the process; ``files`` then asks it. As root, before root's rights are given up."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        here.close()
        _serve(files, there)
    there.close()
    files.helper = here


def _serve(files: CallersFiles, requests: socket.socket) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the command, which decides when that is
    unfinished = dict(enumerate(files.drafts.values()))
    try:
        while request := requests.recv(MOST_BYTES):
            try:
                made = _done(files, unfinished, request)
            except (OSError, ValueError, KeyError) as error:
                requests.send(str(getattr(error, "errno", None) or 22).encode())
                continue
            socket.send_fds(requests, [DONE], made)
            for descriptor in made:
                os.close(descriptor)
        for draft in unfinished.values():
            with suppress(OSError):
                os.unlink(draft.temporary, dir_fd=draft.folder)
    finally:
        os._exit(0)


def _done(files: CallersFiles, unfinished: dict[int, Draft], request: bytes) -> list[int]:
    if request.startswith(FINISH):
        draft = unfinished[number := int(request.removeprefix(FINISH))]
        os.rename(draft.temporary, draft.name, src_dir_fd=draft.folder, dst_dir_fd=draft.folder)
        os.fsync(draft.folder)
        del unfinished[number]
        return []
    if files.key is None or files.next_key is None:
        raise ValueError("no key of root's is used")
    if request.startswith(NEW_KEY) and len(request) <= _KEY_LENGTH:
        write_durably(files.next_key, request.removeprefix(NEW_KEY))
        owner = files.key.stat()
        os.chown(files.next_key, owner.st_uid, owner.st_gid, follow_symlinks=False)
        return [os.open(files.next_key, os.O_RDONLY | os.O_CLOEXEC)]
    if request == USE_KEY:
        files.next_key.replace(files.key)
        sync_folder(files.key.parent)
        return []
    raise ValueError("an unknown request")
