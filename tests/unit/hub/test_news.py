"""What has changed since the last round: only what is known for certain is told apart from everything."""

from __future__ import annotations

import pytest

from facesecure.hub.news import Look, News


def looked(changed: int, **counts: int) -> Look:
    return Look(changed, {"records": 0, "sightings": 0} | counts)


@pytest.fixture
def news() -> News:
    """What is told after one round, and one look."""
    news = News()
    news.look(looked(7, records=3, sightings=4))
    news.take()
    return news


def test_at_first_anything_may_have_changed() -> None:
    news = News()
    assert news.take() is None
    assert news.take() == set()


def test_what_is_told_here_is_taken_once(news: News) -> None:
    news.tell("visits")
    news.tell("mode", "visits")
    assert news.take() == {"visits", "mode"}
    assert news.take() == set()


def test_whoever_tells_of_nothing_particular_means_everything(news: News) -> None:
    news.tell("visits")
    news.tell()
    news.tell("mode")
    assert news.take() is None


def test_the_tables_whose_counts_explain_all_changes_of_others_have_changed(news: News) -> None:
    news.look(looked(9, records=4, sightings=5))
    news.look(looked(10, records=4, sightings=6))
    assert news.take() == {"records", "sightings"}


def test_what_a_write_of_this_door_may_hide_is_not_taken_for_certain(news: News) -> None:
    """A request for a picture (which is not counted) and a visit of this door agree by chance."""
    news.look(looked(8, records=3, sightings=5), wrote=True)
    assert news.take() is None
    news.look(looked(8, records=3, sightings=6), wrote=True)
    assert news.take() == set()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(looked(6, records=3, sightings=4), id="fewer changes"),
        pytest.param(looked(9, records=2, sightings=6), id="a count that fell"),
        pytest.param(Look(9, {"records": 4, "sightings": 5}, place=1), id="tables made anew that have grown since"),
    ],
)
def test_a_hub_that_was_put_back_does_not_follow_what_was_seen(found: Look) -> None:
    before = looked(7, records=3, sightings=4)
    assert looked(8, records=3, sightings=5).follows(before)
    assert not found.follows(before)


def test_what_this_door_wrote_itself_is_no_news(news: News) -> None:
    news.look(looked(7, records=5, sightings=4))
    assert news.take() == set()
    news.look(looked(8, records=5, sightings=5))
    assert news.take() == {"sightings"}


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(looked(8, records=3, sightings=4), id="something that is not counted"),
        pytest.param(looked(8, records=4, sightings=5), id="of others and of this door at once"),
        pytest.param(looked(7 + 1, records=4 + 1, sightings=4 - 1), id="a count that went back"),
        pytest.param(looked(2, records=1, sightings=1), id="an older hub"),
        pytest.param(None, id="a look that tells nothing"),
    ],
)
def test_where_the_counts_do_not_explain_it_anything_may_have_changed(news: News, found: Look | None) -> None:
    news.look(found)
    assert news.take() is None


def test_after_a_look_that_told_nothing_the_next_cannot_be_compared(news: News) -> None:
    news.look(None)
    news.take()
    news.look(looked(9, records=4, sightings=5))
    assert news.take() is None
