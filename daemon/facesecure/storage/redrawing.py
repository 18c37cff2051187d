"""Redraw a snapshot so that it shows one face only: another person in it was removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from facesecure.domain.errors import ImageError
from facesecure.storage.snapshots import Snapshots
from facesecure.util.files import write_durably
from facesecure.vision.images.codec import jpeg_bytes
from facesecure.vision.images.photos import photo_of

_GREY = 128

_log = logging.getLogger(__name__)


def show_only(snapshots: Snapshots, file: str, box: Iterable[float]) -> int:
    """Paint everything of a snapshot grey but the face in ``box`` (left, top, right, bottom; pixels).

    Return its bytes; a snapshot that cannot be redrawn, or shows no face, is deleted (0). Raises OSError.
    """
    path = snapshots.path(file)
    try:
        image = photo_of(path.read_bytes(), file)
        left, top, right, bottom = (max(0, round(value)) for value in box)
        painted = np.full_like(image, _GREY)
        painted[top:bottom, left:right] = image[top:bottom, left:right]
        if right > left and bottom > top:
            write_durably(path, data := jpeg_bytes(painted))
            return len(data)
    except FileNotFoundError:
        return 0
    except (ImageError, ValueError) as error:
        _log.warning("%s is deleted, for it cannot be redrawn: %s", file, error)
    snapshots.remove(file)
    return 0


def snapshots_of(session: Session) -> Snapshots:
    """Return the snapshots beside the database of ``session``."""
    bind = session.get_bind()
    url = bind.url if isinstance(bind, Engine) else bind.engine.url
    return Snapshots(Path(str(url.database)).parent)
