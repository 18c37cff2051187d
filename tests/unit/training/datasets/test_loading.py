"""Batches for training: what is in them, in which order, and what a resumed run sees."""

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError
from facesecure.vision.images.photos import read_photo
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch, decode, pair_batches
from facesecure_training.datasets.pairs import Pair
from support.training.datasets import class_folder, colour_picture

pytestmark = pytest.mark.tensorflow
tensorflow = pytest.importorskip("tensorflow")

SIZE = (8, 8)
EXIF_TURNED = bytes.fromhex("ffe10022 457869660000 4d4d002a00000008 0001 0112 0003 00000001 0006 0000 00000000")
"""A segment of a JPEG that says: turn this a quarter to the right."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return ClassFolder.read(class_folder(tmp_path_factory.mktemp("pictures"), {"a": 6, "b": 5}))


def load(pictures, **options):
    return batches(pictures.files, pictures.labels, size=SIZE, batch=4, **options)


def values(dataset, count=None):
    """Which pictures came, by their red, batch by batch."""
    rows = dataset if count is None else dataset.take(count)
    return [images[:, 0, 0, 0].numpy().tolist() for images, _ in rows]


def flat(batched):
    return [value for batch in batched for value in batch]


def test_pictures_come_as_rgb_with_their_labels_in_order(pictures):
    images, labels = next(iter(load(pictures)))
    assert (images.dtype.name, tuple(images.shape), labels.dtype.name) == ("uint8", (4, 8, 8, 3), "int32")
    assert images[3, 2, 2].numpy().tolist() == [3, 252, 7]
    assert np.concatenate([labels for _, labels in load(pictures)]).tolist() == pictures.labels
    assert [len(batch) for batch in values(load(pictures))] == [4, 4, 3]
    assert batches_per_epoch(pictures.files, 4) == len(load(pictures)) == 3


def lit(image, seed):
    """An image of one brightness, which its seed decides."""
    return np.full_like(image, np.random.default_rng([number & 0xFFFF for number in seed.tolist()]).integers(256))


def test_every_epoch_has_every_picture_once_in_an_order_of_its_own(pictures):
    dataset = load(pictures, shuffle=True, seed=5)
    epochs = [flat(values(dataset)) for _ in range(3)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_order_follows_from_the_seed(pictures):
    first, again, other = (values(load(pictures, shuffle=True, seed=seed)) for seed in (5, 5, 6))
    assert first == again != other


def test_a_resumed_run_goes_on_where_the_first_would_have_been(pictures):
    whole = values(load(pictures, shuffle=True, seed=5, repeat=True), 9)
    assert values(load(pictures, shuffle=True, seed=5, repeat=True, epoch=2), 3) == whole[6:]
    assert sorted(flat(whole[3:6])) == list(range(11))


def test_what_is_altered_is_altered_anew_each_epoch_and_alike_in_a_resumed_run(pictures):
    first = values(load(pictures, repeat=True, augment=lit), 6)
    assert first[:3] != first[3:]
    assert values(load(pictures, repeat=True, augment=lit, epoch=1), 3) == first[3:]
    assert len(set(flat(first))) > 15


def test_a_picture_is_cropped_in_its_middle_and_never_stretched(tmp_path):
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 30:70] = 255
    cv2.imwrite(str(tmp_path / "wide.png"), picture)
    images, _ = next(iter(batches([tmp_path / "wide.png"], [0], size=(20, 20), batch=1)))
    assert images.numpy().min() == 255


def decoded(path):
    return tensorflow.function(decode)(tensorflow.constant(str(path))).numpy()


def test_a_picture_is_decoded_as_the_daemon_sees_it(tmp_path):
    """Upright, and on white; what TensorFlow decodes alike anyway stays with TensorFlow."""
    noise = np.random.default_rng(3).integers(0, 256, (24, 16, 4), np.uint8)
    cv2.imwrite(str(tmp_path / "veiled.png"), noise)
    cv2.imwrite(str(tmp_path / "plain.jpg"), noise[..., :3])
    plain = (tmp_path / "plain.jpg").read_bytes()
    (tmp_path / "turned.jpg").write_bytes(plain[:2] + EXIF_TURNED + plain[2:])
    for name in ("veiled.png", "turned.jpg"):
        found = decoded(tmp_path / name)
        assert np.array_equal(found, read_photo(tmp_path / name)), name
    assert decoded(tmp_path / "turned.jpg").shape == (16, 24, 3)
    found = decoded(tmp_path / "plain.jpg")
    assert np.array_equal(found, tensorflow.io.decode_image(plain, channels=3).numpy())


def test_a_torn_picture_that_the_daemon_decodes_fails_as_any_other(tmp_path):
    torn = tmp_path / "veiled.png"
    cv2.imwrite(str(torn), np.random.default_rng(3).integers(0, 256, (24, 16, 4), np.uint8))
    torn.write_bytes(torn.read_bytes()[:-200])
    with pytest.raises(tensorflow.errors.InvalidArgumentError):
        decoded(torn)


def test_a_grey_jpeg_becomes_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.jpg"), np.full((16, 16), 90, np.uint8))
    images, _ = next(iter(batches([tmp_path / "grey.jpg"], [0], size=SIZE, batch=1)))
    assert images[0, 0, 0].numpy().tolist() == [90, 90, 90]


def test_cached_pictures_are_the_same_and_are_not_decoded_again(pictures, tmp_path):
    plain = [images.numpy() for images, _ in load(pictures)]
    first, second = ([images.numpy() for images, _ in load(pictures, cache=tmp_path)] for _ in range(2))
    assert all((a == b).all() and (b == c).all() for a, b, c in zip(plain, first, second, strict=True))
    records = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(records) == 11
    written = {path: path.stat().st_mtime_ns for path in records}
    values(load(pictures, cache=tmp_path))
    assert {path: path.stat().st_mtime_ns for path in records} == written


def test_a_picture_that_changes_is_not_taken_from_the_cache(tmp_path):
    picture = colour_picture(tmp_path / "a.png", 10)
    options = {"size": SIZE, "batch": 1, "cache": tmp_path / "cache"}
    assert values(batches([picture], [0], **options)) == [[10]]
    colour_picture(picture, 200, (21, 21))
    assert values(batches([picture], [0], **options)) == [[200]]


def test_pairs_come_with_0_for_the_same_person_and_1_for_another(pictures, tmp_path):
    files = pictures.files
    pairs = [Pair(files[0], files[1], 0), Pair(files[0], files[10], 1), Pair(files[3], files[9], 1)]
    (first, second), different = next(iter(pair_batches(pairs, size=SIZE, batch=3, cache=tmp_path)))
    assert first[:, 0, 0, 0].numpy().tolist() == [0, 0, 3]
    assert second[:, 0, 0, 0].numpy().tolist() == [1, 10, 9]
    assert (different.dtype.name, different.numpy().tolist()) == ("int32", [0, 1, 1])


def test_the_two_of_a_pair_are_altered_each_in_its_way(pictures):
    pairs = [Pair(pictures.files[0], pictures.files[0], 0)] * 4
    (first, second), _ = next(iter(pair_batches(pairs, size=SIZE, batch=4, augment=lit)))
    assert (first[:, 0, 0, 0] != second[:, 0, 0, 0]).numpy().any()


def test_nothing_to_load_is_said_so():
    with pytest.raises(FacesecureError, match="no images to load"):
        batches([], [], size=SIZE, batch=1)


def test_a_pair_is_0_or_1(tmp_path):
    with pytest.raises(ValueError, match="not 2"):
        Pair(tmp_path, tmp_path, 2)
