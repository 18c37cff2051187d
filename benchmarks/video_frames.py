"""Decode the clip for all systems alike. Needs PyAV only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import VideoFrame


def decoded(path: Path) -> Iterator[VideoFrame]:
    """Yield the clip's frames, decoded on one thread."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        stream.thread_type = "NONE"
        yield from container.decode(stream)
