"""Augmentation: images made harder during training, so that a network copes at the door with what the album lacks.

``report`` rotates, shifts, zooms and mirrors, like the training of the classifier this project grew out of. ``door``
adds what that one was weak at: poor light, backlight, distance, motion. Every change depends on an image's own seed
alone: the same seed gives the same image.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from facesecure.domain.errors import UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.common.optional_dependencies import tensorflow

if TYPE_CHECKING:
    from facesecure_training.datasets.loading import Augment


_SPARED = 0.5
"""The share of images that each change of light or sharpness leaves alone."""


@dataclass(frozen=True)
class Augmentation:
    """The largest extent of each change; 0 disables it.

    ``rotation`` in degrees; ``shift`` and ``zoom`` in shares of the side; ``flip`` the share of mirrored images;
    ``light`` in stops, ``backlight`` the share of light one side loses and the other gains, ``gamma`` the natural
    logarithm of the exponent; ``blur`` the Gaussian's sigma in shares of the side; ``noise`` a standard deviation in
    brightness steps; ``low_resolution`` the factor lost, beyond 1; ``jpeg`` the quality lost, of 100.

    Example::

        harder = augment(preset("door", strength=0.5))
    """

    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    flip: float = 0.0
    light: float = 0.0
    backlight: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    low_resolution: float = 0.0
    jpeg: float = 0.0

    def times(self, strength: float) -> Augmentation:
        """Return the same changes, scaled by ``strength``; the share of mirrored images stays."""
        return replace(self, **{name: value * strength for name, value in asdict(self).items() if name != "flip"})

    @property
    def nothing(self) -> bool:
        """Whether no change is enabled."""
        return not any(asdict(self).values())


_GEOMETRY = Augmentation(rotation=20.0, shift=0.2, zoom=0.2, flip=0.5)
_DOOR = replace(_GEOMETRY, light=1.5, backlight=0.6, gamma=0.5, blur=0.02, noise=10.0, low_resolution=3.0, jpeg=70.0)
PRESETS = {
    "none": Augmentation(),
    "report": _GEOMETRY,
    "door": _DOOR,
    "aligned": replace(_DOOR, rotation=4.0, shift=0.03, zoom=0.04),
}
"""``aligned`` is ``door`` for aligned crops, which the daemon shifts or rotates by no more than a detector's error."""


def preset(name: str, strength: float = 1.0) -> Augmentation:
    """Return the preset ``name``, scaled by ``strength``. Raises UsageError for an unknown name."""
    if name not in PRESETS:
        raise UsageError(f"there is no augmentation {name!r}", f"use one of: {', '.join(PRESETS)}")
    return PRESETS[name].times(strength)


def augment(augmentation: Augmentation) -> Augment | None:
    """Return the function that ``datasets.loading`` applies to each image; None if there is nothing to change."""
    if augmentation.nothing:
        return None
    return lambda image, seed: augment_image(image, augmentation, seed)


def augment_image(image: Any, augmentation: Augmentation, seed: Any) -> Any:
    """Return one image, uint8 RGB (h, w, 3), changed by ``seed``, integers (2,); uint8 of the same shape."""
    tf = tensorflow()
    random = _RandomSource(seed)
    changed = tf.cast(image, tf.float32)
    changed = _moved(changed, augmentation, random)
    changed = _lit(changed, augmentation, random)
    changed = _softened(changed, augmentation, random)
    if augmentation.noise:
        noise = tf.random.stateless_normal(tf.shape(changed), random.seed())
        changed += random.sometimes(augmentation.noise) * noise
    changed = tf.cast(tf.clip_by_value(tf.round(changed), 0, 255), tf.uint8)
    return _compressed(changed, augmentation, random)


class _RandomSource:
    """Numbers that depend on a seed, each from its own part of it, so that one effect does not shift another's."""

    def __init__(self, seed: Any) -> None:
        self._root, self._drawn = seed, 0

    def seed(self) -> Any:
        self._drawn += 1
        return tensorflow().random.experimental.stateless_fold_in(self._root, self._drawn)

    def uniform(self, low: float, high: float) -> Any:
        return tensorflow().random.stateless_uniform([], self.seed(), low, high)

    def sometimes(self, most: float) -> Any:
        """Return 0 for the share of images in _SPARED; otherwise up to ``most``, uniformly."""
        tf = tensorflow()
        return most * tf.maximum(0.0, (self.uniform(0.0, 1.0) - _SPARED) / (1 - _SPARED))

    def either_way(self, most: float) -> Any:
        """Return what ``sometimes`` does, with a random sign."""
        tf = tensorflow()
        return self.sometimes(most) * tf.where(self.uniform(0.0, 1.0) < 0.5, -1.0, 1.0)


def _moved(image: Any, augmentation: Augmentation, random: _RandomSource) -> Any:
    """Rotate, shift, zoom and mirror at once; the border is repeated outwards."""
    tf = tensorflow()
    if not (augmentation.rotation or augmentation.shift or augmentation.zoom or augmentation.flip):
        return image
    height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(image)[:2]))
    angle = random.uniform(-1.0, 1.0) * augmentation.rotation * (3.141592653589793 / 180)
    scale = 1 + random.uniform(-1.0, 1.0) * augmentation.zoom
    mirror = tf.where(random.uniform(0.0, 1.0) < augmentation.flip, -1.0, 1.0)
    across, down = (random.uniform(-1.0, 1.0) * augmentation.shift * side for side in (width, height))
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    x, y = (width - 1) / 2, (height - 1) / 2
    a, b, c, d = cos * mirror, -sin, sin * mirror, cos
    transform = [a, b, x - a * x - b * y + across, c, d, y - c * x - d * y + down, 0.0, 0.0]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=tf.stack(transform)[None],
        output_shape=tf.shape(image)[:2],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return moved[0]


def _lit(image: Any, augmentation: Augmentation, random: _RandomSource) -> Any:
    """Change the light: its amount, its direction, and the camera's gamma."""
    tf = tensorflow()
    if augmentation.light:
        image *= 2.0 ** random.either_way(augmentation.light)
    if augmentation.backlight:
        image *= 1 + random.sometimes(augmentation.backlight) * _slope(image, random.uniform(0.0, 6.283185307179586))
    if augmentation.gamma:
        image = 255 * (tf.clip_by_value(image / 255, 0, 1) + 1e-6) ** tf.exp(random.either_way(augmentation.gamma))
    return tf.clip_by_value(image, 0, 255)


def _slope(image: Any, direction: Any) -> Any:
    """Return a plane over the image, (h, w, 1), from about -1 at one border to 1 at the other, in ``direction``."""
    tf = tensorflow()
    rows, columns = (tf.linspace(-1.0, 1.0, side) for side in tf.unstack(tf.shape(image)[:2]))
    return (tf.sin(direction) * rows[:, None] + tf.cos(direction) * columns[None, :])[..., None]


def _softened(image: Any, augmentation: Augmentation, random: _RandomSource) -> Any:
    """Blur the image, and reduce its resolution."""
    tf = tensorflow()
    if augmentation.blur:
        side = image.shape[0] or 112
        sigma = random.sometimes(augmentation.blur) * side
        reach = max(1, round(2.5 * augmentation.blur * side))
        blurred = lambda: _blurred(image, sigma, reach)  # noqa: E731 - what tf.cond wants
        image = tf.cond(sigma > 0.2, blurred, lambda: image)
    if augmentation.low_resolution:
        image = _shrunk(image, 1 + random.sometimes(augmentation.low_resolution))
    return image


def _blurred(image: Any, sigma: Any, reach: int) -> Any:
    tf = tensorflow()
    weights = tf.exp(-(tf.range(-reach, reach + 1, dtype=tf.float32) ** 2) / (2 * sigma**2))
    kernel = tf.tile((weights / tf.reduce_sum(weights))[:, None, None, None], [1, 1, 3, 1])
    padded = tf.pad(image, [[reach, reach], [reach, reach], [0, 0]], "SYMMETRIC")[None]
    down = tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")
    return tf.nn.depthwise_conv2d(down, tf.transpose(kernel, [1, 0, 2, 3]), [1, 1, 1, 1], "VALID")[0]


def _shrunk(image: Any, factor: Any) -> Any:
    tf = tensorflow()
    size = tf.shape(image)[:2]
    small = tf.maximum(8, tf.cast(tf.cast(size, tf.float32) / factor, tf.int32))

    def there_and_back() -> Any:
        less = tf.image.resize(image, small, method="bilinear", antialias=True)
        return tf.ensure_shape(tf.image.resize(less, size, method="bilinear"), image.shape)

    return tf.cond(factor > 1.05, there_and_back, lambda: image)


def _compressed(image: Any, augmentation: Augmentation, random: _RandomSource) -> Any:
    """Compress the image as a JPEG of low quality."""
    tf = tensorflow()
    if not augmentation.jpeg:
        return image
    lost = random.sometimes(augmentation.jpeg)
    quality = tf.cast(tf.clip_by_value(100 - lost, 5, 100), tf.int32)
    saved = lambda: tf.ensure_shape(tf.image.adjust_jpeg_quality(image, quality), image.shape)  # noqa: E731
    return tf.cond(lost > 2, saved, lambda: image)


def with_brightening(augment: Augment | None) -> Augment:
    """Return ``augment``, if any, followed by the daemon's brightening: camera effects come before it."""

    def changed(image: Any, seed: Any) -> Any:
        taken = image if augment is None else augment(image, seed)
        return tensorflow().numpy_function(brightened, [taken], tensorflow().uint8, stateful=False)

    return changed
