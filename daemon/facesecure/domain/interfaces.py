"""The interfaces of the daemon: each is a Protocol with one method over the domain types.

Any object with the method fits; nothing is inherited. The package ships fakes (``camera.sources.scripted``,
``vision.detection.scripted``, ``alerts.plugins.recording``), which pass the same contract tests as the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from facesecure.domain import Alert, AlignedFace, Box, Embedding, Face, Frame, Image, Recognition
from facesecure.domain.notices import Claim, SeenStranger


class Source(Protocol):
    """A camera, a stream, a file or a folder."""

    def frames(self) -> Iterator[Frame]:
        """Open the source, yield frames in time order, and release it when the iterator is closed or exhausted.

        ``index`` and ``taken_at`` strictly increase. A live source reconnects by itself and never ends; a file
        or folder ends. Raises SourceError if the source cannot be opened at all.
        """


class Detector(Protocol):
    """A face detector."""

    def detect(self, image: Image) -> Sequence[Face]:
        """Return the faces in ``image`` (uint8 RGB, any size), largest first; an empty sequence if there are none."""


class Recognizer(Protocol):
    """Scores a face against every enrolled person."""

    def identify(self, face: AlignedFace) -> Recognition:
        """Return the scores of ``face`` for every person enrolled at this moment."""


@runtime_checkable
class ContextCropper(Protocol):
    """A recogniser that may need more of the image than the aligned face."""

    def crop_context(self, image: Image, box: Box) -> Image | None:
        """Return the crop of ``image`` (uint8 RGB) around ``box``; None if only the aligned face is needed."""


class Embedder(Protocol):
    """Maps an aligned face to a vector whose direction identifies the person."""

    def embed(self, face: Image) -> Embedding:
        """Return the embedding of ``face`` (uint8 RGB (112, 112, 3)): float32 (n,), of Euclidean length 1."""


class AlertSink(Protocol):
    """Accepts alerts for delivery (``alerts.delivery.dispatcher.Dispatcher``)."""

    def send(self, alert: Alert) -> None:
        """Take ``alert`` over and return at once; delivery happens later, on other threads."""


class NoticeBoard(Protocol):
    """Agrees with the household's other doors on who notifies about a stranger (``hub.sync.notices``)."""

    def claim(self, seen: SeenStranger) -> Claim:
        """Return who notifies about ``seen``. Takes a second at most, and never raises: in doubt, this door."""

    def confirm(self, sighting: str) -> None:
        """Note that somebody was reached by the alert about ``sighting``, which was claimed. Returns at once."""


class AlertPlugin(Protocol):
    """Delivers alerts. Runs on its own thread; may block, may raise, and is never called twice at once."""

    def send(self, alert: Alert) -> None:
        """Deliver ``alert``, or raise; returning means that it was delivered."""


ENTRY_POINT_GROUP = "facesecure.plugins"
