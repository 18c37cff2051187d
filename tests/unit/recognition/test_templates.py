import numpy as np

from facesecure.domain.records import TemplateVector
from facesecure.recognition.templates import template_of, templates_of
from support import lfw


def test_a_template_is_a_unit_vector_in_the_middle():
    template = template_of(np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(template, np.sqrt([0.5, 0.5]), atol=1e-6)


def test_every_picture_weighs_the_same_however_long_its_embedding():
    template = template_of(np.array([[10, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(template, np.sqrt([0.5, 0.5]), atol=1e-6)


def near(centre: int, count: int, spread: float = 0.5, seed: int = 0) -> np.ndarray:
    """Unit vectors about one axis of 64: their cosines to it are about 1 / sqrt(1 + spread^2)."""
    scatter = np.random.default_rng(seed).normal(size=(count, 64)) * spread / 8
    scatter[:, centre] += 1
    return (scatter / np.linalg.norm(scatter, axis=1, keepdims=True)).astype(np.float32)


def means_of(faces: np.ndarray) -> list[TemplateVector]:
    """The templates that are plain means."""
    return [look for look in templates_of(faces) if not look.blended]


def test_a_face_that_lies_far_out_is_trimmed_and_the_others_are_not():
    faces, stray = near(0, 7), near(1, 1)
    (look,) = means_of(np.concatenate([faces, stray]))
    assert look.faces == 7
    np.testing.assert_allclose(look.direction, template_of(faces), atol=1e-6)


def test_faces_of_one_kind_make_one_template_however_many():
    assert [look.faces for look in means_of(near(0, 40))] == [40]


def test_faces_of_two_kinds_make_a_template_of_all_and_one_of_each():
    bearded, shaven = near(0, 4), near(1, 5, seed=1)
    everything, *kinds = means_of(np.concatenate([bearded, shaven]))
    assert everything.faces == 9
    assert sorted(look.faces for look in kinds) == [4, 5]
    best = {look.faces: look.direction for look in kinds}
    np.testing.assert_allclose(best[4], template_of(bearded), atol=1e-6)
    assert best[5] @ template_of(shaven) > best[5] @ everything.direction


def test_two_odd_faces_are_no_kind():
    assert len(means_of(np.concatenate([near(0, 9), near(1, 2)]))) == 1


def test_the_order_of_the_faces_does_not_matter():
    faces = np.concatenate([near(0, 5), near(1, 5, seed=1)])
    one, other = templates_of(faces), templates_of(faces[::-1])
    assert sorted(tuple(look.direction.round(4)) for look in one) == sorted(
        tuple(look.direction.round(4)) for look in other
    )


def test_real_photos_of_one_person_make_one_template_and_a_mixture_of_two_three():
    everybody = [lfw.faces("George_W_Bush", 6), lfw.faces("Junichiro_Koizumi", 6)]
    assert [len(means_of(faces)) for faces in everybody] == [1, 1]
    assert len(means_of(np.concatenate(everybody))) == 3


def test_the_mean_leans_towards_every_picture_but_those_that_lie_far_out():
    faces = near(0, 4)
    leaning = [look for look in templates_of(np.concatenate([faces, near(1, 1)])) if look.blended]
    mean = template_of(faces)
    assert len(leaning) == 4
    for face in faces:
        nearest = max(float(look.direction @ face) for look in leaning)
        assert nearest > float(mean @ face) + 0.03
    for look in leaning:
        assert abs(np.linalg.norm(look.direction) - 1) < 1e-5
        assert look.direction @ mean > 0.95


def test_of_many_pictures_the_mean_leans_to_the_five_that_differ_most():
    alike, turned = near(0, 10, spread=0.1), near(0, 4, spread=0.7, seed=3)
    leaning = [look.direction for look in templates_of(np.concatenate([alike, turned])) if look.blended]
    assert len(leaning) == 5
    mean = template_of(np.concatenate([alike, turned]))
    assert all(max(float(one @ face) for one in leaning) > float(mean @ face) + 0.03 for face in turned)


def test_one_or_two_pictures_have_their_mean_and_no_more():
    assert [len(templates_of(near(0, count))) for count in (1, 2)] == [1, 1]
