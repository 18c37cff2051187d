"""Check of the films of visits: how many there are, whether more fit, and whether every camera can be filmed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from shutil import disk_usage

from facesecure.services.diagnostics.machine import existing
from facesecure.services.diagnostics.result import CheckContext, CheckResult, ok, warn
from facesecure.util.installing import pip_install

_MB = 1e6
_SIZE = 1280, 720


def clips(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the films that may be kept fit on the disk, and that an encoder works for cameras that need one."""
    from facesecure.camera.clips.encoder import opened_encoder
    from facesecure.storage.clips import RESERVE, Clips

    config = context.config.clips
    films = Clips(context.state_dir).all()
    used = sum(stat.st_size for _, stat in films)
    message = f"{len(films)} film{'s' if len(films) != 1 else ''}, {used / _MB:.0f} of {config.max_mb:.0f} MB"
    if not any(one.clips.enabled for one in context.config.each_camera()):
        yield ok("clips", f"no films are kept{f'; {message} are left' if films else ''}")
        return
    free = disk_usage(existing(context.state_dir)).free
    if config.max_mb * _MB - used > free - RESERVE:
        remedy = f"lower [clips] max_mb to {max(1, int((used + free - RESERVE) / _MB))}, or free some space"
        yield warn("clips", f"{message}, more than the disk has room for", remedy)
    else:
        yield ok("clips", message)
    try:
        encoder = opened_encoder(*_SIZE, Fraction(1, 90_000)).codec.name
    except LookupError:
        remedy = f"choose H.264 or H.265 in the camera's settings, or install PyAV from PyPI: {pip_install('av')}"
        yield warn("clips", "only cameras that send H.264 or H.265 can be filmed: there is no encoder", remedy)
    else:
        yield ok("clips", f"{encoder} encodes the films of cameras that send neither H.264 nor H.265")
