"""A door that is filmed for as long as a browser looks: the same twenty seconds again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from support.faults.film import Caller, film

SECONDS = 20.0
CALLERS = (Caller(GRACE_HOPPER, 1.0), Caller(EILEEN_COLLINS, 10.0))


def both_callers(path: Path) -> Path:
    """Grace Hopper after a second, and after ten a stranger."""
    return film(path, SECONDS, CALLERS)


def again_and_again(path: Path, once: Path, times: int) -> Path:
    """Write the film ``once`` to ``path`` so many times in a row, without encoding it again."""
    import av

    with av.open(str(path), "w", format="mp4") as out, av.open(str(once)) as measured:
        stream: Any = out.add_stream_from_template(measured.streams.video[0])
        length = measured.streams.video[0].duration
        assert length
        for number in range(times):
            with av.open(str(once)) as source:
                for packet in source.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + number * length, packet.dts + number * length
                    packet.stream = stream
                    out.mux(packet)
    return path
