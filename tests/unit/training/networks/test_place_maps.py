"""Maps keep places, tell directions, and do not see how strong the light is."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.inference.interpreter import Interpreter
from support.training.tiny_networks import embedder

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")


@pytest.fixture(scope="module")
def place_maps():
    from facesecure_training.networks import place_maps

    return place_maps


def striped(direction: float) -> np.ndarray:
    """Return a face of stripes that run at right angles to ``direction``."""
    rows, columns = np.mgrid[:112, :112]
    waves = 120 + 60 * np.sin((columns * np.cos(direction) + rows * np.sin(direction)) / 3)
    return np.repeat(waves[None, :, :, None], 3, axis=3).astype(np.uint8)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0])
def test_a_filter_sees_nothing_where_all_is_alike_and_answers_at_most_the_contrast(place_maps, sigma, order):
    kernel = place_maps.filters(sigma, order)
    assert kernel.shape[2:] == (1, 8)
    assert (kernel.sum(axis=(0, 1, 2), dtype=np.float64) == 0).all()
    assert np.abs(kernel).sum(axis=(0, 1, 2)) == pytest.approx(1, abs=0.01)
    assert (kernel.astype(np.float16) == kernel).all(), "16 bits do not make it see anything"


@pytest.mark.parametrize("number", range(8))
def test_stripes_are_seen_least_by_the_filters_along_them_and_by_those_across_more_than_twice_as_well(
    place_maps, number
):
    for bank in place_maps.BANKS:
        found = np.asarray(place_maps.oriented(bank, striped(np.pi * number / 8)))[0].mean(axis=(0, 1))
        for begin in range(0, len(found), 16):  # of each filter eight directions, and the same with the other sign
            seen = np.roll(found[begin : begin + 8], -number)
            assert seen.argmin() == 4
            assert seen[0] > 2 * seen[4]


def test_half_the_light_changes_nothing_worth_mentioning(place_maps):
    face = striped(0.3)
    for bank in place_maps.BANKS:
        full, half = (np.asarray(place_maps.oriented(bank, one)) for one in (face, face // 2))
        assert np.abs(full - half).max() < 0.1 * np.abs(full).max()


def test_what_is_at_one_place_changes_the_map_there_only(place_maps):
    face, changed = striped(0.3), striped(0.3)
    changed[:, :20, :20] = 0
    bank = place_maps.BANKS[0]
    apart = np.abs(np.asarray(place_maps.oriented(bank, face)) - np.asarray(place_maps.oriented(bank, changed)))[0]
    assert apart[:3, :3].max() > 0.1
    assert apart[6:].max() == apart[:, 6:].max() == 0


def test_a_densenet_is_seen_before_each_transition_whatever_its_side(place_maps):
    from facesecure_training.networks.densenet import densenet

    network = densenet((1, 2, 1), growth=4, embedding=8, side=32, normalise=True)
    found = [np.asarray(one) for one in place_maps.PlaceMaps(network)(tf.constant(striped(0.1)))][3:]
    assert [one.shape[1:3] for one in found] == [(7, 7), (7, 7)]
    for one in found:
        lengths = np.linalg.norm(one, axis=3)
        assert lengths.min() > 0.7, "of an untrained network: some see little at the border"
        assert lengths.max() < 1


def test_a_network_without_transitions_is_refused(place_maps):
    with pytest.raises(UsageError, match="no DenseNet"):
        place_maps.PlaceMaps(embedder())


def test_weights_in_16_bits_leave_the_map_of_a_face_with_plain_black_and_white_as_it_was(place_maps):
    from facesecure_training.export.convert import to_tflite
    from facesecure_training.networks.pixels import image_input

    face = striped(0.3)
    face[:, 60:, :50], face[:, 60:, 50:] = 0, 255
    image = image_input(112)
    for bank in place_maps.BANKS:
        model = tf.keras.Model(image, place_maps.oriented(bank, image))
        there = Interpreter(to_tflite(model, "float16")).invoke(face)[0]
        assert np.abs(np.asarray(model(face)) - there).max() < 0.001
