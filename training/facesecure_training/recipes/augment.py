"""Pictures made harder while a network learns, so that it bears at the door what it never saw in the album.

``report`` turns, shifts, zooms and mirrors, as the classifier this project grew out of was trained. Where that one was
weak (poor light, light from behind, distance, movement) ``door`` makes such pictures too.
Every change is drawn from a picture's own seed and nothing else: the same seed gives the same picture.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from facesecure.domain.errors import UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.common.optional_dependencies import tensorflow

if TYPE_CHECKING:
    from facesecure_training.datasets.loading import Augment


_OFTEN = 0.5
"""The share of pictures that each change of light or sharpness is spared."""


@dataclass(frozen=True)
class Augmentation:
    """How far each change goes at most; 0 leaves it out.

    ``rotation`` in degrees; ``shift`` and ``zoom`` in shares of the side; ``flip`` the share of mirrored pictures;
    ``light`` in stops, ``backlight`` the share of light a side loses and the other gains, ``gamma`` the natural
    logarithm of the exponent; ``blur`` the Gaussian's sigma in shares of the side; ``noise`` a standard deviation in
    brightness steps; ``low_resolution`` the factor lost, beyond 1; ``jpeg`` the quality lost, of 100.
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
        """The same changes, each ``strength`` times as far; how often pictures are mirrored stays."""
        return replace(self, **{name: value * strength for name, value in asdict(self).items() if name != "flip"})

    @property
    def nothing(self) -> bool:
        return not any(asdict(self).values())


_GEOMETRY = Augmentation(rotation=20.0, shift=0.2, zoom=0.2, flip=0.5)
_DOOR = replace(_GEOMETRY, light=1.5, backlight=0.6, gamma=0.5, blur=0.02, noise=10.0, low_resolution=3.0, jpeg=70.0)
PRESETS = {
    "none": Augmentation(),
    "report": _GEOMETRY,
    "door": _DOOR,
    "aligned": replace(_DOOR, rotation=4.0, shift=0.03, zoom=0.04),
}
"""``aligned`` is ``door`` for aligned crops, which the daemon never shifts or turns by more than a detector errs."""


def preset(name: str, strength: float = 1.0) -> Augmentation:
    """Raises UsageError for a name that is none of PRESETS."""
    if name not in PRESETS:
        raise UsageError(f"there is no augmentation {name!r}", f"use one of: {', '.join(PRESETS)}")
    return PRESETS[name].times(strength)


def augment(augmentation: Augmentation) -> Augment | None:
    """What ``datasets.loading`` takes to change each picture by; None where there is nothing to change."""
    if augmentation.nothing:
        return None
    return lambda image, seed: augment_image(image, augmentation, seed)


def augment_image(image: Any, augmentation: Augmentation, seed: Any) -> Any:
    """One picture, uint8 RGB (h, w, 3), changed as ``seed``, integers (2,), says; uint8 of the same shape."""
    tf = tensorflow()
    chance = _Chance(seed)
    changed = tf.cast(image, tf.float32)
    changed = _moved(changed, augmentation, chance)
    changed = _lit(changed, augmentation, chance)
    changed = _softened(changed, augmentation, chance)
    if augmentation.noise:
        noise = tf.random.stateless_normal(tf.shape(changed), chance.seed())
        changed += chance.sometimes(augmentation.noise) * noise
    changed = tf.cast(tf.clip_by_value(tf.round(changed), 0, 255), tf.uint8)
    return _compressed(changed, augmentation, chance)


class _Chance:
    """Numbers that follow from a seed, each from its own part of it, so that one effect does not shift another's."""

    def __init__(self, seed: Any) -> None:
        self._root, self._drawn = seed, 0

    def seed(self) -> Any:
        self._drawn += 1
        return tensorflow().random.experimental.stateless_fold_in(self._root, self._drawn)

    def uniform(self, low: float, high: float) -> Any:
        return tensorflow().random.stateless_uniform([], self.seed(), low, high)

    def sometimes(self, most: float) -> Any:
        """0 for as many pictures as _OFTEN says; else up to ``most``, evenly."""
        tf = tensorflow()
        return most * tf.maximum(0.0, (self.uniform(0.0, 1.0) - _OFTEN) / (1 - _OFTEN))

    def either_way(self, most: float) -> Any:
        """As ``sometimes``, up or down."""
        tf = tensorflow()
        return self.sometimes(most) * tf.where(self.uniform(0.0, 1.0) < 0.5, -1.0, 1.0)


def _moved(image: Any, augmentation: Augmentation, chance: _Chance) -> Any:
    """Turned, shifted, zoomed and mirrored at once; what comes in at the rim repeats the rim."""
    tf = tensorflow()
    if not (augmentation.rotation or augmentation.shift or augmentation.zoom or augmentation.flip):
        return image
    height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(image)[:2]))
    angle = chance.uniform(-1.0, 1.0) * augmentation.rotation * (3.141592653589793 / 180)
    scale = 1 + chance.uniform(-1.0, 1.0) * augmentation.zoom
    mirror = tf.where(chance.uniform(0.0, 1.0) < augmentation.flip, -1.0, 1.0)
    across, down = (chance.uniform(-1.0, 1.0) * augmentation.shift * side for side in (width, height))
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


def _lit(image: Any, augmentation: Augmentation, chance: _Chance) -> Any:
    """More light or less of it, falling from one side, and bent by the camera's curve."""
    tf = tensorflow()
    if augmentation.light:
        image *= 2.0 ** chance.either_way(augmentation.light)
    if augmentation.backlight:
        image *= 1 + chance.sometimes(augmentation.backlight) * _slope(image, chance.uniform(0.0, 6.283185307179586))
    if augmentation.gamma:
        image = 255 * (tf.clip_by_value(image / 255, 0, 1) + 1e-6) ** tf.exp(chance.either_way(augmentation.gamma))
    return tf.clip_by_value(image, 0, 255)


def _slope(image: Any, direction: Any) -> Any:
    """A plane over the picture, (h, w, 1), from about -1 at one rim to 1 at the other, towards ``direction``."""
    tf = tensorflow()
    rows, columns = (tf.linspace(-1.0, 1.0, side) for side in tf.unstack(tf.shape(image)[:2]))
    return (tf.sin(direction) * rows[:, None] + tf.cos(direction) * columns[None, :])[..., None]


def _softened(image: Any, augmentation: Augmentation, chance: _Chance) -> Any:
    """Out of focus, and from farther away."""
    tf = tensorflow()
    if augmentation.blur:
        side = image.shape[0] or 112
        sigma = chance.sometimes(augmentation.blur) * side
        reach = max(1, round(2.5 * augmentation.blur * side))
        blurred = lambda: _blurred(image, sigma, reach)  # noqa: E731 - what tf.cond wants
        image = tf.cond(sigma > 0.2, blurred, lambda: image)
    if augmentation.low_resolution:
        image = _shrunk(image, 1 + chance.sometimes(augmentation.low_resolution))
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


def _compressed(image: Any, augmentation: Augmentation, chance: _Chance) -> Any:
    """Saved as a JPEG of poor quality, and read again."""
    tf = tensorflow()
    if not augmentation.jpeg:
        return image
    lost = chance.sometimes(augmentation.jpeg)
    quality = tf.cast(tf.clip_by_value(100 - lost, 5, 100), tf.int32)
    saved = lambda: tf.ensure_shape(tf.image.adjust_jpeg_quality(image, quality), image.shape)  # noqa: E731
    return tf.cond(lost > 2, saved, lambda: image)


def with_brightening(augment: Augment | None) -> Augment:
    """``augment``, if there is any, and then the daemon's brightening: what the camera does comes before it."""

    def changed(image: Any, seed: Any) -> Any:
        taken = image if augment is None else augment(image, seed)
        return tensorflow().numpy_function(brightened, [taken], tensorflow().uint8, stateful=False)

    return changed
