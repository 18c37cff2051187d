"""Which pictures TensorFlow cannot read: it fails on one and does not say on which."""

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
    """What TensorFlow fails on within is looked for among all ``files``.

    Raises ImageError, with their names, if there are pictures that cannot be read; else what TensorFlow raised.
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
            f"{len(found)} of {sum(map(len, files))} pictures cannot be read: "
            f"{', '.join(map(str, found[:_NAMED]))}{more}",
            "make them whole JPEG, PNG, BMP or WebP files and add --resume; "
            "or take them out of the folder and begin another run",
        ) from error


def unreadable(files: Sequence[Path]) -> list[Path]:
    """Those of ``files`` that are missing, forbidden, or no pictures to TensorFlow. All are decoded, under a bar."""
    tf = tensorflow()

    def tried(number: Any, name: Any) -> tuple[Any, Any]:
        return number, tf.shape(decode(name))  # the shape, lest the decoding be left out for being of no use

    names = string_tensor(Texts(map(str, files)))
    made = tf.data.Dataset.from_tensor_slices(names).enumerate()
    read = set()
    with ProgressBar(len(files), "looking for what cannot be read") as bar:
        for number, _ in made.map(tried, num_parallel_calls=os.cpu_count() or 1).ignore_errors():
            read.add(int(number))
            bar.reach(int(number) + 1)
    return [file for number, file in enumerate(files) if number not in read]
