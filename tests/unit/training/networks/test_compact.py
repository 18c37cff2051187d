"""Our classifiers beside the report's: how small, how fast, and that ten photos will do."""

import time
from statistics import median

import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.domain.errors import UsageError
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.export.convert import to_tflite
from facesecure_training.export.quantise import with_int8_kernels
from facesecure_training.networks import mobilefacenet
from facesecure_training.networks.compact import compact, copy_head_weights, head
from facesecure_training.networks.hugonet import hugonet
from facesecure_training.networks.pixels import fixed_batch
from support.faces import NAMES, only, portrait

keras = pytest.importorskip("tensorflow", reason="needs the [training] extra").keras
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

HUGONET_BYTES = 4 * 54_333_570


def crops(name: str, count: int, seed: int) -> np.ndarray:
    """Aligned faces out of one portrait: landmarks a little off, brighter and darker, mirrored."""
    chance = np.random.default_rng(seed)
    photo = np.array(portrait(name))
    found = only(build_detector(DetectorConfig(kind="mtcnn")).detect(photo)).landmarks
    moved = [found + chance.normal(0, np.ptp(found) / 60, found.shape) for _ in range(count)]
    faces = [align.crop(photo, landmarks.astype(np.float32))[:, :: chance.choice([1, -1])] for landmarks in moved]
    return np.stack([np.clip(face * chance.uniform(0.5, 1.4), 0, 255).astype(np.uint8) for face in faces])


@pytest.fixture(scope="module")
def on_embedder():
    return compact(2)


@pytest.fixture(scope="module")
def separable():
    return compact(2, kind="cnn")


def exported(model) -> bytes:
    """As ``mixed8``: int8 kernels where that pays."""
    return with_int8_kernels(to_tflite(fixed_batch(model), "float32"), lambda kernel: kernel[3] != 3)


@pytest.mark.parametrize("kind", ["on_embedder", "separable"])
def test_the_file_is_under_a_fiftieth_of_hugonets_and_all_xnnpacks(kind, request):
    content = exported(request.getfixturevalue(kind))
    assert len(content) < HUGONET_BYTES / 50
    delegation = Interpreter(content).delegation
    assert delegation.partitions == 1
    assert delegation.delegated == delegation.nodes - 1


@pytest.mark.parametrize("kind", ["on_embedder", "separable"])
def test_a_face_takes_under_a_twentieth_of_hugonets_time(kind, request):
    small, large = exported(request.getfixturevalue(kind)), to_tflite(fixed_batch(hugonet(2)), "float32")
    assert times_as_long(Interpreter(large), Interpreter(small)) > 20


def times_as_long(large: Interpreter, small: Interpreter) -> float:
    """How many times as long ``large`` takes; by turns, so that what slows the machine down meanwhile slows both."""
    return median(seconds(large) / min(seconds(small) for _ in range(5)) for _ in range(11))


def seconds(graph: Interpreter) -> float:
    """The processor time of one face: what other processes take does not count."""
    picture = np.random.default_rng(1).integers(0, 256, graph.inputs[0].shape, dtype=np.uint8)
    begun = time.thread_time()
    graph.invoke(picture)
    return time.thread_time() - begun


def test_the_head_learns_two_people_and_leaves_the_embedder_alone(on_embedder):
    learn, test = (np.concatenate([crops(name, count, seed) for name in NAMES]) for count, seed in ((6, 1), (3, 2)))
    embedder = mobilefacenet.bundled()
    alone = head(2, 192)
    alone.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", run_eagerly=True)
    alone.fit(embedder(learn), np.repeat([0, 1], 6), epochs=5, batch_size=12, verbose=0)
    copy_head_weights(alone, on_embedder)
    probabilities = np.asarray(on_embedder(test))
    assert (probabilities.argmax(1) == np.repeat([0, 1], 3)).all()
    assert probabilities.max(1).min() > 0.9
    assert [layer.name for layer in on_embedder.layers if layer.trainable_weights] == ["probabilities"]


def test_a_head_knows_nothing_at_first_and_is_unsure_of_it(on_embedder):
    fresh = head(4, 192)
    assert np.asarray(fresh(np.eye(192, dtype=np.float32)[:2])) == pytest.approx(0.25)


def test_the_separable_network_learns_light_from_dark(separable):
    chance = np.random.default_rng(3)
    model = compact(2, kind="cnn", side=32, width=0.5)
    labels = np.tile([0, 1], 16)
    pictures = (chance.integers(0, 80, (32, 32, 32, 3)) + 150 * labels[:, None, None, None]).astype(np.uint8)
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", run_eagerly=True)
    losses = model.fit(pictures, labels, epochs=4, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert separable.count_params() == 161_762


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kind": "large"}, "no compact network of kind 'large'"), ({"classes": 1}, "classes is 1"), ({"side": 64}, "64")],
)
def test_what_cannot_be_built_is_refused_in_words(arguments, message):
    with pytest.raises(UsageError, match=message):
        compact(**arguments)
