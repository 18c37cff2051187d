"""Check of the cameras: each stream of each gives an image, all tried at once and for a limited time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from facesecure.config import CameraConfig
from facesecure.domain.errors import FacesecureError
from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

if TYPE_CHECKING:
    from facesecure.camera.sources import ProbeResult

_ANSWERS = 2
"""Times ``timeout`` that a stream may take: for its description, and for its first image."""
_SLACK = 10.0
"""Seconds that a stream has beyond that: to resolve a name, to start a camera of the Pi."""
_LONGEST = 60.0
"""Seconds after which any camera has failed, however patient its settings are."""
_OTHER_SHAPE = 0.03
"""Difference of the ratio of width to height that the two streams of a camera may have."""


def cameras(context: CheckContext) -> Iterator[CheckResult]:
    """Check that each camera gives an image, from its sub-stream as well; the results are in the configuration's order.

    Every stream is opened in a thread of its own, so that one which never answers holds nothing up.
    """
    found = [one.camera for one in context.config.each_camera()]
    trials = [(camera, _trials(camera, several=len(found) > 1)) for camera in found]
    for _, streams in trials:
        for stream in streams:
            stream.start()
    for camera, streams in trials:
        yield from (stream.result() for stream in streams)
        yield from _compared(camera, streams)


def _trials(camera: CameraConfig, *, several: bool) -> list[_Trial]:
    name = f"camera {camera.name}" if several else "camera"
    sub_stream = [_Trial(f"{name}, detect", camera.detect, camera)] if camera.detect else []
    return [_Trial(name, camera.source, camera), *sub_stream]


@dataclass
class _Trial:
    """One stream that is opened in a thread, for at most ``_seconds``."""

    name: str
    uri: str
    camera: CameraConfig
    probed: ProbeResult | None = None
    _error: Exception | None = None
    _thread: threading.Thread | None = None
    _until: float = 0.0
    _seconds: float = field(init=False)

    def __post_init__(self) -> None:
        self._seconds = min(_LONGEST, _ANSWERS * self.camera.timeout + _SLACK)

    def start(self) -> None:
        """Begin."""
        self._until = time.monotonic() + self._seconds
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from facesecure.camera.sources import probe

        try:
            self.probed = probe(self.uri, self.camera)  # which makes its secrets known
        except Exception as error:  # noqa: BLE001 - reported by result()
            self._error = error

    def result(self) -> CheckResult:
        """Wait for the end and return the result."""
        if self._thread is not None:
            self._thread.join(max(0.0, self._until - time.monotonic()))
        if self.probed is not None:
            return ok(self.name, f"{self.uri}: {self.probed}")
        if isinstance(self._error, FacesecureError):
            return fail(self.name, self._error.message, self._error.hint or "")
        if self._error is not None:
            message = f"could not be checked: {type(self._error).__name__}: {self._error}"
            return fail(self.name, message, "this is a bug; please report it")
        remedy = "switch the camera off and on again; check that no other program uses it"
        return fail(self.name, f"{self.uri} did not answer within {self._seconds:.0f} s", remedy)


def _compared(camera: CameraConfig, streams: Sequence[_Trial]) -> Iterator[CheckResult]:
    """Yield a warning if the sub-stream of ``camera`` does not fit its main stream."""
    main, sub = (streams[0].probed, streams[-1].probed)
    if len(streams) < 2 or main is None or sub is None:
        return
    name, sizes = streams[-1].name, f"{sub.width}x{sub.height}, and source {main.width}x{main.height}"
    if sub.width > main.width:
        yield warn(name, f"it is larger than source: {sizes}", "exchange the addresses of detect and source")
    elif abs(sub.width / sub.height - main.width / main.height) > _OTHER_SHAPE * main.width / main.height:
        remedy = f"in the settings of the camera {camera.name}, give both streams the same ratio of width to height"
        yield warn(name, f"it has another shape than source, so that faces are looked for elsewhere: {sizes}", remedy)
