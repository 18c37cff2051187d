import logging

import numpy as np
import pytest

from facesecure.domain.errors import BusyError
from facesecure.domain.records import Template
from facesecure.recognition.gallery import Gallery, LiveGallery
from support.builders import NOON


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_the_score_of_a_person_is_that_of_their_nearest_template():
    gallery = Gallery([template("Tom", unit(1, 0)), template("Tom", unit(0, 1)), template("Anna", unit(-1, 0))])
    scores = gallery.scores(unit(0, 1))
    assert scores == pytest.approx({"Tom": 1.0, "Anna": 0.0})


def test_an_empty_gallery_scores_nobody():
    assert Gallery([]).scores(unit(1, 0)) == {}


def template(name: str, embedding: np.ndarray, model: str = "m") -> Template:
    return Template(name, embedding, model, faces=5, made_at=NOON)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_somebody_new_is_seen_within_two_seconds_and_without_asking_every_time():
    people, revision, clock, asked = [template("Tom", unit(1, 0))], [1], Clock(), []

    def ask() -> int:
        asked.append(clock.now)
        return revision[0]

    live = LiveGallery(lambda: people, ask, "m", clock=clock)
    people.append(template("Anna", unit(0, 1)))
    revision[0] = 2
    clock.now = 0.5
    assert live.current().names == ("Tom",)
    assert asked == [0.0]
    clock.now = 1.1
    assert live.current().names == ("Anna", "Tom")


def test_people_are_recognised_as_they_were_while_the_store_is_busy(caplog):
    people, clock, busy = [template("Tom", unit(1, 0))], Clock(), [False]

    def ask() -> int:
        if busy[0]:
            raise BusyError("another process is using it")
        return len(people)

    live = LiveGallery(lambda: people, ask, "m", clock=clock)
    people.append(template("Anna", unit(0, 1)))
    busy[0] = True
    for clock.now in (1.1, 12.0, 23.0):
        assert live.current().names == ("Tom",)
    assert caplog.text.count("people are recognised as they were: another process is using it") == 1
    busy[0], clock.now = False, 40.0
    assert live.current().names == ("Anna", "Tom")


def test_a_store_that_is_busy_at_the_start_is_asked_again():
    answers = [BusyError("busy"), 1]

    def ask() -> int:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BusyError):
            raise answer
        return answer

    clock = Clock()
    live = LiveGallery(lambda: [template("Tom", unit(1, 0))], ask, "m", clock=clock)
    assert live.current().names == ("Tom",)
    clock.now = 1.1
    assert live.current().names == ("Tom",)


def test_templates_of_another_model_are_said_and_not_compared(caplog):
    with caplog.at_level(logging.WARNING):
        live = LiveGallery(
            lambda: [template("Tom", unit(1, 0), "old"), template("Anna", unit(0, 1), "new")], lambda: 1, "new"
        )
    assert live.current().names == ("Anna",)
    assert "Tom" in caplog.text
    assert "enrolled again" in caplog.text


def test_how_close_people_are_is_told_by_their_nearest_templates():
    gallery = Gallery([template("Tom", unit(1, 0)), template("Tom", unit(0, 1)), template("Anna", unit(1, 1))])
    assert gallery.closeness("Tom") == pytest.approx({"Anna": np.sqrt(0.5)})
    assert gallery.closeness("Anna") == pytest.approx({"Tom": np.sqrt(0.5)})
    assert gallery.closeness("nobody") == {}
