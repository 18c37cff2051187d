"""What the hub's front refuses."""

from __future__ import annotations


class NotGenuineError(ValueError):
    """What came through the hub is not what a door that may write it wrote: it is left out, and logged.

    The message names no secret, and no person.
    """
