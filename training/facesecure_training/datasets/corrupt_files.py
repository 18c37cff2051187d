"""Finds the images that TensorFlow cannot read: its error does not name them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facesecure.domain.errors import ImageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.loading import decode, string_tensor
from facesecure_training.datasets.names import Texts

_NAMED = 3


@contextmanager
def naming_unreadable(*files: Sequence[Path]) -> Iterator[None]:
    """Search ``files`` for unreadable images if TensorFlow fails inside the ``with`` block.

    Raises ImageError with their names if there are any; otherwise TensorFlow's error.
    """
    errors = tensorflow().errors
    failed = (errors.InvalidArgumentError, errors.NotFoundError, errors.PermissionDeniedError, FileNotFoundError)
    try:
        yield
    except failed as error:
        found = [file for some in files for file in unreadable(some)]
        if not found:
            raise
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ImageError(
            f"{len(found)} of {sum(map(len, files))} images cannot be read: "
            f"{', '.join(map(str, found[:_NAMED]))}{more}",
            "repair them (JPEG, PNG, BMP or WebP) and add --resume; "
            "or remove them from the folder and begin another run",
        ) from error


def unreadable(files: Sequence[Path]) -> list[Path]:
    """Return those of ``files`` that are missing, not permitted, or no images to TensorFlow.

    All files are decoded, under a progress bar.
    """
    tf = tensorflow()

    def tried(number: Any, name: Any) -> tuple[Any, Any]:
        return number, tf.shape(decode(name))  # the shape, so that the decoding is not optimised away

    names = string_tensor(Texts(map(str, files)))
    made = tf.data.Dataset.from_tensor_slices(names).enumerate()
    read = set()
    with ProgressBar(len(files), "searching for unreadable images") as bar:
        for number, _ in made.map(tried, num_parallel_calls=os.cpu_count() or 1).ignore_errors():
            read.add(int(number))
            bar.reach(int(number) + 1)
    return [file for number, file in enumerate(files) if number not in read]
