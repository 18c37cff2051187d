import numpy as np
import pytest

from facesecure.recognition.visitor_matching import VisitEmbedding, VisitorMatcher
from support.builders import SCORES
from support.visitors import between, looks

chooser = VisitorMatcher(SCORES)


def visit(*embeddings: np.ndarray, clarity: float = 0.95) -> VisitEmbedding:
    return VisitEmbedding.of(np.stack(embeddings), [clarity] * len(embeddings))


def of(person: int, day: int = 0) -> VisitEmbedding:
    return visit(looks(person, day), looks(person, day + 1))


def at_cosine(one: np.ndarray, cosine: float) -> np.ndarray:
    """A unit vector at that cosine from ``one``."""
    other = looks(777)
    across = other - (other @ one) * one
    return np.asarray(cosine * one + np.sqrt(1 - cosine**2) * across / np.linalg.norm(across), np.float32)


def test_the_first_stranger_is_nobody_who_was_here_before():
    assert chooser.match(of(1), {}) is None


def test_the_same_person_again_is_the_same_visitor():
    assert chooser.match(of(1, day=5), {4: [of(2)], 7: [of(1)], 9: [of(3)]}) == 7


def test_somebody_else_is_somebody_new():
    assert chooser.match(of(1), {4: [of(2)], 9: [of(3)]}) is None


def test_what_would_do_beside_one_visitor_is_too_little_beside_hundreds():
    one = looks(1)
    newcomer = visit(at_cosine(one, 0.55))
    assert chooser.match(newcomer, {1: [visit(one)]}) == 1
    crowd = {number: [visit(looks(number))] for number in range(2, 400)}
    assert chooser.match(newcomer, {1: [visit(one)], **crowd}) is None


def test_a_face_between_two_people_does_not_chain_them_together():
    """B looks like A and like C, who are two people: C may not join A's visits by way of B."""
    a, c = looks(1, noise=0), looks(2, noise=0)
    b = between(a, c)
    assert chooser.match(visit(b), {1: [visit(a)]}) == 1
    assert float(between(a, b) @ c) > 0.3, "C is near the middle of A and B"
    assert chooser.match(visit(c), {1: [visit(a), visit(b), visit(b), visit(b)]}) is None


@pytest.mark.parametrize(("clarity", "expected"), [(1.0, None), (0.6, 1)])
def test_unclear_faces_need_be_less_alike_than_clear_ones_to_be_the_same(clarity, expected):
    one = looks(1)
    other = visit(at_cosine(one, 0.48), clarity=clarity)
    assert chooser.match(other, {1: [visit(one, clarity=clarity)]}) == expected
