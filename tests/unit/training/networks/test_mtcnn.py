"""The rebuilt networks against the package's own form, written out plainly, on random weights."""

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure_training.networks import mtcnn

tensorflow = pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow


def random_weights(architecture: mtcnn.Architecture) -> list[np.ndarray]:
    """Arrays in the package's order and shapes: the last hidden layer of R- and O-Net is a dense one."""
    random = np.random.default_rng(5)
    arrays, channels = [], 3
    for number, layer in enumerate(architecture.hidden):
        dense = architecture.side > 12 and number == len(architecture.hidden) - 1
        inputs = layer.kernel[0] * layer.kernel[1] * channels
        shape = (inputs, layer.filters) if dense else (*layer.kernel, channels, layer.filters)
        arrays += [random.normal(size=shape) / inputs**0.5, random.normal(size=layer.filters)]
        arrays += [random.normal(size=(layer.filters,) if dense else (1, 1, layer.filters))]
        channels = layer.filters
    outputs = (4, 2) if len(architecture.heads) == 2 else (4, 10, 2)
    for count in outputs:
        shape = (channels, count) if architecture.side > 12 else (1, 1, channels, count)
        arrays += [random.normal(size=shape) / channels**0.5, random.normal(size=count)]
    return [array.astype(np.float32) for array in arrays]


def as_the_package_has_it(architecture: mtcnn.Architecture, weights: list[np.ndarray], image: np.ndarray):
    """Normalise, convolve, PReLU, pool; transpose, flatten, dense; boxes, landmarks, softmax of two."""
    nn, arrays = tensorflow.nn, iter(weights)
    x = (image.astype(np.float32) - 127.5) / 128
    for layer in architecture.hidden:
        weight, bias, alpha = next(arrays), next(arrays), next(arrays)
        if weight.ndim == 4:
            x = nn.conv2d(x, weight, 1, "VALID") + bias
        else:
            x = tensorflow.reshape(tensorflow.transpose(x, (0, 2, 1, 3)), (len(image), -1)) @ weight + bias
        x = nn.relu(x) - alpha * nn.relu(-x)
        if layer.pool:
            x = nn.max_pool2d(x, layer.pool[0], 2, layer.pool[1].upper())
    last = list(arrays)
    heads = [
        tensorflow.tensordot(x, w.reshape(w.shape[-2:]), 1) + b for w, b in zip(last[::2], last[1::2], strict=True)
    ]
    return {4: heads[0], 10: heads[1], 1: nn.softmax(heads[-1])[..., 1:]}


@pytest.mark.parametrize("architecture", mtcnn.ARCHITECTURES, ids=lambda one: one.name)
def test_the_rebuilt_network_computes_what_the_package_computes(architecture):
    side = 12 if architecture.side == 12 else architecture.side
    shape = (3, side + 9, side + 4, 3) if architecture is mtcnn.PNET else (3, side, side, 3)
    image = np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8)
    weights = random_weights(architecture)
    expected = as_the_package_has_it(architecture, weights, image)
    for found in mtcnn.build(architecture, weights, shape[:3])(image):
        wanted = np.asarray(expected[found.shape[-1]]).reshape(found.shape)
        np.testing.assert_allclose(np.asarray(found), wanted, atol=2e-5)


def test_weights_of_another_network_are_refused():
    with pytest.raises(ModelError, match="onet"):
        mtcnn.build(mtcnn.ONET, random_weights(mtcnn.RNET), (1, 48, 48))
