"""The command line's liberties."""

from hypothesis import given
from hypothesis import strategies as st

from facesecure.cli.arguments import globals_first, optional_value, repeat_option

WORDS = st.lists(st.sampled_from(["run", "--json", "--source", "a.jpg", "x:1", "--images", "-", "--camera"]))


def test_global_options_may_stand_behind_the_command():
    words = ["people", "list", "--state-dir", "d", "--json", "-v", "--config=c"]
    assert globals_first(words) == ["--state-dir", "d", "-v", "--config=c", "people", "list", "--json"]


def test_what_follows_two_dashes_is_nobodys_option():
    words = ["enroll", "--", "--config", "x"]
    assert globals_first(words) == words
    assert repeat_option("--images", ["--images", "a", "--", "b"]) == ["--images", "a", "--", "b"]


def test_a_global_option_without_its_value_is_left_for_the_parser_to_refuse():
    assert globals_first(["run", "--config"]) == ["--config", "run"]


def test_one_flag_takes_as_many_pictures_as_follow_it():
    spread = repeat_option("--images", ["Anna", "--images", "a.jpg", "b.jpg", "dir/", "--json"])
    assert spread == ["Anna", "--images", "a.jpg", "--images", "b.jpg", "--images", "dir/", "--json"]


def test_a_repeated_flag_does_what_it_always_did():
    words = ["Anna", "--images", "a", "--images", "b"]
    assert repeat_option("--images", words) == words


def test_the_camera_flag_may_stand_alone_or_before_a_name():
    assert optional_value("--camera", ["Anna", "--camera"]) == ["Anna", "--camera="]
    assert optional_value("--camera", ["--camera", "Anna"]) == ["--camera=", "Anna"]
    assert optional_value("--camera", ["--camera", "--json"]) == ["--camera=", "--json"]


def test_the_camera_flag_takes_a_uri():
    words = ["Anna", "--camera", "rtsp://door/1"]
    assert optional_value("--camera", words) == words


@given(WORDS)
def test_nothing_is_ever_lost_or_made_up(words):
    assert sorted(globals_first(words)) == sorted(words)
    without_flags = [word for word in repeat_option("--images", words) if word != "--images"]
    assert without_flags == [word for word in words if word != "--images"]


def test_the_camera_flag_takes_a_name_where_another_word_is_the_person():
    valued = ("--images", "--video", "--face")
    for words in (["Anna", "--camera", "front door"], ["--camera", "gate", "Anna"], ["--camera", "gate", "--", "Anna"]):
        assert optional_value("--camera", words, valued) == words
    for words in (["--camera", "Anna", "--face", "1"], ["--images", "a.jpg", "--camera", "Anna", "--few"]):
        assert "--camera=" in optional_value("--camera", words, valued)


@given(WORDS)
def test_the_words_beside_the_camera_flag_stay_as_they_are(words):
    given_a_value = optional_value("--camera", words, ("--images", "--source"))
    assert [word.removesuffix("=") for word in given_a_value] == words
