"""Groups are by stated proxies, and a page says no more than its figures."""

import numpy as np

from benchmarks import groups, lookalikes, training_page
from benchmarks.wording import compared, one_in, percent

MADE = {"command": "c", "seed": 0, "commit": "abc", "date": "2026-11-29", "machine": "m"}


def share(value, half=0.02):
    return {"value": value, "low": max(0, value - half), "high": min(1, value + half), "trainings": 1, "people": 9}


def test_namesakes_share_the_last_word_of_a_name_without_jr():
    people = ["Ann_Lee", "Bob_Lee_Jr", "Lee", "Carl_Roe"]
    assert lookalikes.namesakes(people).tolist() == [[0, 1]]


def test_a_name_given_to_both_sexes_or_in_no_list_tells_nothing():
    found = groups.by_name(["Laura_Bush", "Tom_Ridge", "Junichiro_Koizumi"], groups.read_names())
    assert list(found.values()) == [["Laura_Bush"], ["Tom_Ridge"]]


def test_no_name_is_in_both_lists():
    women, men = groups.read_names().values()
    assert not women & men


def test_lighter_cheeks_have_a_larger_angle():
    light, dark = (np.full((112, 112, 3), tone, np.uint8) for tone in ((235, 205, 185), (95, 65, 50)))
    assert groups.angle_of(light) > 41
    assert groups.angle_of(dark) < 10


def test_a_group_is_called_worse_only_where_the_intervals_do_not_meet():
    what = "MTCNN: a face is found"
    by = {"everybody": share(0.9), "one": share(0.8), "other": share(0.89)}
    said = " ".join(groups._worse(what, by))
    assert "surely worse" in said
    assert "one." in said
    assert "other" not in said
    assert "no group" in " ".join(groups._worse(what, {"everybody": share(0.9), "other": share(0.89)}))


def test_taken_for_one_more_often_is_worse():
    what = f"MobileFaceNet: {groups.MISTAKEN}"
    assert "surely worse" in " ".join(groups._worse(what, {"everybody": share(0.1), "one": share(0.3)}))
    assert "no group" in " ".join(groups._worse(what, {"everybody": share(0.3), "one": share(0.1)}))


def test_words_follow_from_figures():
    assert compared(share(0.5), share(0.1), "more", "fewer", "alike") == "more"
    assert compared(share(0.11), share(0.1), "more", "fewer", "alike") == "alike"
    assert percent(share(0.5)) == "50.0 % (48.0 to 52.0)"
    assert (one_in(0.0), one_in(0.17), one_in(0.9)) == ("none", "one in 6", "nearly every one")


def test_the_page_in_the_repository_is_what_its_results_say():
    before = training_page.PAGE.read_text(encoding="utf-8")
    assert training_page.page(training_page.RESULTS, before) == before


def test_sections_without_results_are_named_with_their_commands(tmp_path):
    page = training_page.page(tmp_path)
    for _, command in training_page.SECTIONS.values():
        assert f"`{command}`" in page


def test_results_become_their_section(tmp_path):
    kinds = {kind: {"pairs": 9, "accepted": {"0.001": share(0.1), "0.0001": share(0.01)}}
             for kind in ("any two people", "one family name")}  # fmt: skip
    document = {"about": MADE, "people": {"choosing": 3, "tested": 4}, "kinds": kinds}
    training_page.write("lookalikes", document, tmp_path / "results")
    page = (tmp_path / "RESULTS.md").read_text()
    assert "## Look-alikes and namesakes" in page
    assert "commit abc" in page
    assert "one family name: taken for one not surely more often than any two people" in page
