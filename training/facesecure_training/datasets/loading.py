"""Images for training as a tf.data pipeline: read, decoded, fitted, cached, shuffled, batched and prefetched.

Apart from the list of names, memory does not grow with the data set: the order of an epoch is computed (a permutation
evaluated index by index), no buffer is filled to shuffle, and the cache is on disk, one file per image.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import FacesecureError, ImageError
from facesecure.util.paths import expanded
from facesecure.vision.images.image_headers import read_header
from facesecure.vision.images.photos import MAX_DECODED, MAX_MEMORY, photo_of
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.cache import ImageCache, state_of
from facesecure_training.datasets.names import Files, Texts

if TYPE_CHECKING:
    from facesecure_training.datasets.pairs import Pair

Augment = Callable[[Image, NDArray[np.int32]], Image]
"""(image uint8 (h, w, 3), seed int32 (2,)) -> image uint8 (h, w, 3), in Python; several threads call it."""

_PIECE = 10_000
_REFUSED, _BY_TENSORFLOW, _AS_THE_DAEMON = range(3)
_AHEAD = 2
"""Batches prepared while one is trained on."""


def batches(
    files: Sequence[Path],
    labels: Sequence[int] | NDArray[np.int_],
    *,
    size: tuple[int, int],
    batch: int,
    shuffle: bool = False,
    seed: int = 0,
    cache: Path | None = None,
    augment: Augment | None = None,
    repeat: bool = False,
    epoch: int = 0,
) -> Any:
    """Return a tf.data.Dataset of (uint8 RGB (batch, h, w, 3), int32 labels (batch,)); ``size`` is (h, w).

    The order of each epoch, and what ``augment`` does in it, depend on ``seed`` and the epoch's number alone.
    ``repeat`` yields the epochs ``epoch``, ``epoch`` + 1, ... without end, ``batches_per_epoch(files, batch)`` batches
    each, so that a resumed run continues the interrupted one. Without it the data set ends after one epoch, and each
    further iteration is another one. Images are cropped at their centre to the aspect ratio of ``size``, then scaled.
    ``cache`` is a folder for the fitted images; an image that has changed is fitted again.
    """
    library = _Library(files, size, cache)
    tf = tensorflow()
    wanted = tf.constant(np.asarray(labels, np.int32))

    def example(index: Any, key: Any) -> Example:
        return library.picture(index), wanted[index], _seed(key, 0)

    return _epochs(len(files), example, augment, batch, shuffle, seed, repeat, epoch)


def pair_batches(
    pairs: Sequence[Pair],
    *,
    size: tuple[int, int],
    batch: int,
    shuffle: bool = False,
    seed: int = 0,
    cache: Path | None = None,
    augment: Augment | None = None,
    repeat: bool = False,
    epoch: int = 0,
) -> Any:
    """Return a tf.data.Dataset of ((first, second), different); 0 is the same person, 1 another.

    The two images of a pair are augmented independently. Images, order, epochs and cache are as in ``batches``.
    """
    tf = tensorflow()
    place: dict[Path, int] = {}
    rows = [[place.setdefault(path, len(place)) for path in (pair.first, pair.second)] for pair in pairs]
    library = _Library(list(place), size, cache)
    where, different = tf.constant(rows, tf.int64), tf.constant([pair.different for pair in pairs], tf.int32)

    def example(index: Any, key: Any) -> Example:
        first, second = (library.picture(where[index, side]) for side in (0, 1))
        return (first, second), different[index], (_seed(key, 0), _seed(key, 1))

    return _epochs(len(pairs), example, augment, batch, shuffle, seed, repeat, epoch)


def batches_per_epoch(things: Sequence[object], batch: int) -> int:
    """Return the number of batches in an epoch; the last may be smaller."""
    return -(-len(things) // batch)


Example = tuple[Any, Any, Any]
"""One image or several, what is to be learnt of them, and a seed for each image."""


def _epochs(
    count: int,
    example: Callable[[Any, Any], Example],
    augment: Augment | None,
    batch: int,
    shuffle: bool,
    seed: int,
    repeat: bool,
    epoch: int,
) -> Any:
    if not count:
        raise FacesecureError("there are no images to load", "check the folder and the split")
    tf = tensorflow()
    workers = os.cpu_count() or 1

    def one(number: Any) -> Any:
        key = tf.stack([tf.constant(seed, tf.int32), tf.cast(number, tf.int32)])

        def place(index: Any) -> tuple[Any, Any]:
            at = index
            if shuffle:
                at = tf.random.experimental.index_shuffle(index, key, count - 1)
            return at, tf.random.experimental.stateless_fold_in(key, tf.cast(index, tf.int32))

        ordered = tf.data.Dataset.range(count).map(place)
        made = ordered.map(example, num_parallel_calls=workers, deterministic=True).batch(batch)
        return made.map(partial(_altered, augment), num_parallel_calls=workers, deterministic=True)

    numbers = tf.data.Dataset.counter(epoch) if repeat else _another_each_time(seed, epoch)
    made = numbers.flat_map(one)
    if not repeat:
        made = made.apply(tf.data.experimental.assert_cardinality(-(-count // batch)))
    return made.prefetch(_AHEAD).with_options(_options(workers))


def _another_each_time(seed: int, epoch: int) -> Any:
    """Return a data set of one number: another at every iteration, the same in every run."""
    tf = tensorflow()
    drawn = tf.data.Dataset.random(seed=seed * 65_537 + epoch + 1, rerandomize_each_iteration=True)
    return drawn.take(1).map(lambda number: tf.bitwise.bitwise_and(number, 0x7FFFFFFF))


def _options(workers: int) -> Any:
    options = tensorflow().data.Options()
    options.threading.private_threadpool_size = workers
    options.threading.max_intra_op_parallelism = 1
    options.autotune.enabled = False  # it would grow its buffers as far as memory allows
    return options


def _seed(key: Any, side: int) -> Any:
    return tensorflow().random.experimental.stateless_fold_in(key, side)


def _altered(augment: Augment | None, images: Any, wanted: Any, seeds: Any) -> tuple[Any, Any]:
    """Return a batch with its images altered: in one call of Python, which costs as much for one image as for all."""
    if augment is None:
        return images, wanted
    return tensorflow().nest.map_structure(partial(_altered_images, augment), images, seeds), wanted


def _altered_images(augment: Augment, images: Any, seeds: Any) -> Any:
    tf = tensorflow()

    def altered(pictures: NDArray[np.uint8], numbers: NDArray[np.int32]) -> NDArray[np.uint8]:
        return np.stack([augment(picture, number) for picture, number in zip(pictures, numbers, strict=True)])

    return tf.ensure_shape(tf.numpy_function(altered, [images, seeds], tf.uint8, stateful=False), images.shape)


def decode(name: Any) -> Any:
    """Decode the image file ``name``, a string tensor: uint8 RGB (h, w, 3).

    TensorFlow's errors do not name the file. One that states more pixels than a photo may have is not decoded. One that
    TensorFlow would show otherwise than the daemon sees it, lying on its side or with the colours that transparency
    hides, is read as the daemon reads it.
    """
    tf = tensorflow()
    content = tf.io.read_file(name)
    kind = tf.numpy_function(_way_to_decode, [content], tf.int32, stateful=False)
    allowed = tf.debugging.Assert(kind != _REFUSED, ["this is not an image, or too large for one"])
    with tf.control_dependencies([allowed]):
        image = tf.cond(
            kind == _AS_THE_DAEMON,
            lambda: tf.numpy_function(_photo, [content], tf.uint8, stateful=False),
            lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
        )
    return tf.ensure_shape(image, (None, None, 3))


def _way_to_decode(content: bytes) -> np.int32:
    """Return who decodes an image: TensorFlow, the daemon's own reader, or neither.

    TensorFlow reserves whatever memory the header asks for.
    """
    header = read_header(content)
    if header is None or header.fault or header.pixels * header.pixel_memory > MAX_MEMORY:
        return np.int32(_REFUSED)
    if header.pixels > MAX_DECODED:
        return np.int32(_REFUSED)
    return np.int32(_AS_THE_DAEMON if header.orientation != 1 or header.transparent else _BY_TENSORFLOW)


def _photo(content: bytes) -> Image:
    """Return what the daemon reads. Raises ValueError, which TensorFlow turns into the error of its own decoder."""
    try:
        return photo_of(content, "the image")
    except ImageError as error:
        raise ValueError(error.message) from None


def fit_image(image: Any, size: tuple[int, int]) -> Any:
    """Return the centre of ``image`` (uint8, any size) at ``size`` (h, w), scaled with antialiasing."""
    tf = tensorflow()
    found, target = tf.shape(image)[:2], tf.constant(size)
    scale = tf.reduce_min(tf.cast(found, tf.float64) / tf.cast(target, tf.float64))
    part = tf.maximum(1, tf.cast(tf.round(tf.cast(target, tf.float64) * scale), tf.int32))
    start = (found - part) // 2
    middle = image[start[0] : start[0] + part[0], start[1] : start[1] + part[1]]

    def scaled() -> Any:
        floats = tf.image.resize(middle, size, antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(floats), 0, 255), tf.uint8)

    return tf.ensure_shape(tf.cond(tf.reduce_all(part == target), lambda: middle, scaled), (*size, 3))


class _Library:
    """Images by number, fitted to ``size``; from the cache if they are there."""

    def __init__(self, files: Sequence[Path], size: tuple[int, int], cache: Path | None) -> None:
        tf = tensorflow()
        self._size = size
        # Names of up to 22 bytes lie within TensorFlow's own 24 of each string: the common part is stored once.
        root, names = (f"{files.root}/", files.names) if isinstance(files, Files) else ("", [str(one) for one in files])
        self._root, self._names = tf.constant(root), string_tensor(names)
        self._cache = None if cache is None else ImageCache(expanded(cache).absolute() / f"{size[0]}x{size[1]}")
        self._keys = string_tensor([] if cache is None else Texts(state_of(file) for file in files))

    def picture(self, index: Any) -> Any:
        """Return the image at ``index``, uint8 RGB (h, w, 3)."""
        tf = tensorflow()
        if self._cache is None:
            return self._made(index)
        key = self._keys[index]
        kept = tf.ensure_shape(tf.numpy_function(self._cache.get, [key], tf.string), ())
        image = tf.cond(
            tf.strings.length(kept) == self._size[0] * self._size[1] * 3,
            lambda: tf.reshape(tf.io.decode_raw(kept, tf.uint8), (*self._size, 3)),
            lambda: self._put(key, self._made(index)),
        )
        return tf.ensure_shape(image, (*self._size, 3))

    def _made(self, index: Any) -> Any:
        return fit_image(decode(self._root + self._names[index]), self._size)

    def _put(self, key: Any, image: Any) -> Any:
        assert self._cache is not None
        return tensorflow().numpy_function(self._cache.put, [key, image], tensorflow().uint8)


def string_tensor(texts: Sequence[str]) -> Any:
    """Return a string tensor, made in pieces: all Python strings at once would take more memory than the tensor."""
    tf = tensorflow()
    pieces = [tf.constant(list(texts[at : at + _PIECE]), tf.string) for at in range(0, len(texts), _PIECE)]
    return tf.concat(pieces, 0) if pieces else tf.constant([], tf.string)
