"""The seams of the daemon: each is a Protocol of one method over the domain's types.

Anything with the method fits; nothing is inherited. Every seam has a fake in the package (``sources/scripted.py``,
``detect/scripted.py``, ``alerts/recording.py``), held to the same contract tests as the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from facesecure.domain import Alert, AlignedFace, Box, Embedding, Face, Frame, Image, Recognition


class Source(Protocol):
    """A camera, a stream, a file or a folder."""

    def frames(self) -> Iterator[Frame]:
        """Open, yield frames in time order, and release everything when the iterator is closed or exhausted.

        ``index`` and ``taken_at`` strictly increase. A live source reconnects by itself and never ends; a file
        or folder ends. Raises SourceError when it cannot be opened at all.
        """


class Detector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> Sequence[Face]:
        """All faces in ``image`` (uint8 RGB, any size), largest first; none is an empty sequence, not an error."""


class Recognizer(Protocol):
    """Tells how much a face looks like each person enrolled."""

    def identify(self, face: AlignedFace) -> Recognition:
        """Scores for everybody enrolled at this moment."""


@runtime_checkable
class ContextCropper(Protocol):
    """A recogniser that may want more of the picture than the aligned face."""

    def crop_context(self, image: Image, box: Box) -> Image | None:
        """The loose crop to look at, of the face in ``box`` of ``image`` (uint8 RGB); None where it wants none."""


class Embedder(Protocol):
    """Turns an aligned face into a point where distance means identity."""

    def embed(self, face: Image) -> Embedding:
        """``face`` is uint8 RGB (112, 112, 3); returns float32 (n,), of Euclidean length 1."""


class AlertPlugin(Protocol):
    """Tells somebody. Runs on a thread of its own; may block, may raise, is never called twice at once."""

    def send(self, alert: Alert) -> None:
        """Deliver ``alert`` or raise; returning means it was delivered."""


ENTRY_POINT_GROUP = "facesecure.plugins"
