"""What the pipeline tells a camera's sources about its scene: whether anyone needs every frame."""

from __future__ import annotations

from collections.abc import Callable


class Attention:
    """Whether a scene needs every frame: ``busy`` while something moves or a face is followed, and for ``also``.

    Set by the thread that processes frames, read by those that decode them. Until it is told, a scene is busy.
    Example::

        attention = Attention()
        attention.scene = gate.moved(frame.luma, frame.taken_at)
    """

    def __init__(self) -> None:
        self.scene = True
        self._also: tuple[Callable[[], bool], ...] = ()

    def also(self, needed: Callable[[], bool]) -> None:
        """Be busy also while ``needed`` returns True, whatever the scene; called with every packet, by any thread."""
        self._also = (*self._also, needed)

    @property
    def busy(self) -> bool:
        """Return whether every frame is needed."""
        return self.scene or any(needed() for needed in self._also)
