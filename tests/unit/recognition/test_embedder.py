"""Embeddings from the bundled model, on the portraits that the demo ships."""

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.images.fitting import resized
from facesecure.vision.images.illumination import brightened
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.cropping import Cropper
from support.faces import PHOTOS

PORTRAITS = PHOTOS


@pytest.fixture(scope="module")
def embedder() -> ModelEmbedder:
    return ModelEmbedder(load_model("mobilefacenet"))


@pytest.fixture(scope="module")
def grace() -> np.ndarray:
    return Cropper().crop(PORTRAITS / "grace_hopper.jpg")


@pytest.fixture(scope="module")
def eileen() -> np.ndarray:
    return Cropper().crop(PORTRAITS / "eileen_collins.jpg")


def test_an_embedding_has_length_one_and_the_size_its_card_says(embedder, grace):
    embedding = embedder.embed(grace)
    assert embedding.shape == (embedder.size,) == (192,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_one_person_is_near_herself_and_far_from_another(embedder, grace, eileen):
    darker = (grace * 0.7).astype(np.uint8)
    assert embedder.embed(grace) @ embedder.embed(darker) > 0.8
    assert embedder.embed(grace) @ embedder.embed(eileen) < 0.3


def test_the_network_is_given_the_face_as_it_is_its_colours_in_their_order():
    """The card's golden input, through the embedder, gives the golden output: nothing is done to it on the way."""
    model = load_model("mobilefacenet")
    assert model.card.golden is not None
    (golden,) = model.card.golden.input()
    np.testing.assert_allclose(ModelEmbedder(model).embed(golden), model.card.golden.outputs[0], atol=0.02)


@pytest.mark.parametrize("who", ["grace", "eileen"])
def test_swapping_red_and_blue_changes_a_face_more_than_dusk_does(embedder, who, request):
    face = request.getfixturevalue(who)
    swapped, darker = np.ascontiguousarray(face[:, :, ::-1]), (face * 0.7).astype(np.uint8)
    likeness = embedder.embed(face)
    assert likeness @ embedder.embed(swapped) < likeness @ embedder.embed(darker) - 0.01


def test_the_embedder_tells_which_exact_model_it_is(embedder):
    assert embedder.sha256 == load_model("mobilefacenet").card.sha256
    assert embedder.sha256 != ModelEmbedder(load_model("mobilefacenet-float16")).sha256


@pytest.mark.parametrize("wrong", [np.zeros((96, 112, 3), np.uint8), np.zeros((112, 112, 3), np.float32)])
def test_anything_but_an_aligned_face_is_refused(embedder, wrong):
    with pytest.raises(ValueError, match="an aligned face"):
        embedder.embed(wrong)


def test_a_detector_is_no_embedder():
    with pytest.raises(ModelError, match="onet does not embed faces"):
        ModelEmbedder(load_model("onet"))


def test_a_dark_face_is_brightened_alike_in_any_size(grace):
    dark = (grace * 0.12).astype(np.uint8)
    small = resized(dark, (64, 64))
    assert brightened(small).mean() == pytest.approx(brightened(dark).mean(), rel=0.05)


def test_a_face_that_is_not_aligned_is_refused(embedder):
    with pytest.raises(ValueError, match="an aligned face is uint8"):
        embedder.embed(np.zeros((64, 64, 3), np.uint8))
