"""A control socket, and callers of other users."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOBODY = 65534

_CALL = """
import json, socket, sys
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.settimeout(30)
try:
    connection.connect(sys.argv[1])
    connection.sendall(b'{"version": 1, "command": "ping"}\\n')
    print(connection.makefile().readline())
except BrokenPipeError:
    print(connection.makefile().readline())
except OSError as error:
    print(json.dumps({"os": type(error).__name__}))
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="facesecure-control-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def call_as(path: Path, uid: int, groups: Sequence[int] = ()) -> dict[str, Any]:
    """Return the answer that user ``uid``, in ``groups``, gets at ``path``; {"os": ERROR} if the kernel refuses."""
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", _CALL, str(path)],
        user=uid, group=NOBODY, extra_groups=list(groups), cwd="/",
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))
