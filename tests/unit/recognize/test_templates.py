import numpy as np

from facesecure.recognize.templates import template_of


def test_a_template_is_a_unit_vector_in_the_middle():
    template = template_of(np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(template, np.sqrt([0.5, 0.5]), atol=1e-6)


def test_every_picture_weighs_the_same_however_long_its_embedding():
    template = template_of(np.array([[10, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(template, np.sqrt([0.5, 0.5]), atol=1e-6)
