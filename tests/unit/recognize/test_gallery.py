import logging

import numpy as np
import pytest

from facesecure.recognize.gallery import Gallery, LiveGallery, Template, template_of


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_the_score_of_a_person_is_that_of_their_nearest_template():
    gallery = Gallery(
        [Template("Tom", unit(1, 0), "m"), Template("Tom", unit(0, 1), "m"), Template("Anna", unit(-1, 0), "m")]
    )
    scores = gallery.scores(unit(0, 1))
    assert scores == pytest.approx({"Tom": 1.0, "Anna": 0.0})


def test_an_empty_gallery_scores_nobody():
    assert Gallery([]).scores(unit(1, 0)) == {}


def test_a_template_is_a_unit_vector_in_the_middle():
    template = template_of(np.stack([unit(1, 0), unit(0, 1)]))
    np.testing.assert_allclose(template, unit(1, 1), atol=1e-6)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_somebody_new_is_seen_within_two_seconds_and_without_asking_every_time():
    people, changed, clock, asked = [Template("Tom", unit(1, 0), "m")], [False], Clock(), []

    def has_changed() -> bool:
        asked.append(clock.now)
        return changed[0]

    live = LiveGallery(lambda: people, has_changed, "m", clock=clock)
    people.append(Template("Anna", unit(0, 1), "m"))
    changed[0] = True
    clock.now = 0.5
    assert live.current().names == ("Tom",)
    assert asked == []
    clock.now = 1.1
    assert live.current().names == ("Anna", "Tom")


def test_templates_of_another_model_are_said_and_not_compared(caplog):
    with caplog.at_level(logging.WARNING):
        live = LiveGallery(
            lambda: [Template("Tom", unit(1, 0), "old"), Template("Anna", unit(0, 1), "new")], lambda: False, "new"
        )
    assert live.current().names == ("Anna",)
    assert "Tom" in caplog.text
    assert "enrolled again" in caplog.text
