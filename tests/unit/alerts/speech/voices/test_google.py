"""Google's voice over TLS, with the requests of gTTS, on a network that fails in every way."""

import socket
import time
import urllib.parse

import pytest

pytest.importorskip("gtts")

from gtts import gTTS

from facesecure.alerts.speech.voices.google import GoogleVoice
from facesecure.domain.errors import PluginError
from support.speech.google_voice import google_voice


@pytest.fixture
def google(tmp_path):
    with google_voice(tmp_path) as server:
        yield server


def voice(google, **settings):
    return GoogleVoice(url=google.url, trust=google.trust, **settings)


@pytest.mark.parametrize(
    ("asked", "sent"), [("en", "en"), ("en-GB", "en"), ("fr_ca", "fr-CA"), ("pt-PT", "pt-PT"), ("DE", "de")]
)
def test_a_language_goes_by_the_name_that_google_has_for_it(google, asked, sent):
    voice(google).say("hm", asked)
    assert google.asked == [("hm", sent, False)]


def test_slowly_is_asked_for(google):
    voice(google, slow=True).say("hm", "en")
    assert google.asked == [("hm", "en", True)]


def test_it_asks_what_gtts_would_ask_and_where(google):
    voice(google).say("hm", "en")
    (theirs,) = gTTS("hm", tld="co.uk", lang="en", lang_check=False)._prepare_requests()
    assert GoogleVoice("co.uk")._url == theirs.url
    assert google.headers[0]["User-Agent"] == theirs.headers["User-Agent"]
    assert google.headers[0]["Content-Type"] == theirs.headers["Content-Type"]
    assert "hm" in urllib.parse.unquote(theirs.body)


def test_what_is_too_long_for_one_question_is_asked_in_parts(google):
    long = "A stranger is at the front door, and somebody else behind. " * 4
    assert voice(google).say(long, "en").seconds > 3
    assert len(google.asked) > 1
    assert all(len(text) <= 100 for text, _, _ in google.asked)


def test_whoever_has_no_certificate_of_googles_is_not_believed(google):
    """Else anybody in between could have us say "Anna is at the front door" of every stranger, from then on."""
    with pytest.raises(PluginError, match="certificate verify failed"):
        GoogleVoice(url=google.url).say("A stranger is at the front door", "en")
    assert google.asked == [], "and hears nothing of the household"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"status": 429}, "429"),
        ({"status": 503}, "503"),
        ({"speechless": True}, "contains no sound"),
        ({"rubbish": True}, "not a sound"),
    ],
)
def test_an_answer_that_is_no_speech_says_what_it_was(google, trouble, said):
    for name, value in trouble.items():
        setattr(google, name, value)
    with pytest.raises(PluginError, match=said) as refused:
        voice(google).say("hm", "en")
    assert "espeak-ng" in refused.value.hint


def test_no_network_is_told_at_once():
    began = time.monotonic()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(PluginError, match=r"cannot be reached: .*refused"):
            GoogleVoice(url=url).say("hm", "en")
    assert time.monotonic() - began < 3


def test_a_network_that_says_nothing_is_not_waited_for(google):
    google.hangs = True
    began = time.monotonic()
    with pytest.raises(PluginError, match=r"cannot be reached: .*timed out"):
        voice(google, seconds=0.2).say("hm", "en")
    assert time.monotonic() - began < 5


def test_a_house_without_names_in_its_network_is_told():
    with pytest.raises(PluginError, match="cannot be reached"):
        GoogleVoice(url="https://no-such-host.invalid/").say("hm", "en")


@pytest.mark.parametrize(
    ("language", "code"),
    [
        *[("he", "iw"), ("he-IL", "iw"), ("nb", "no"), ("nb_NO", "no"), ("nn", "no"), ("fil", "tl"), ("jv", "jw")],
        *[("zh-Hant", "zh-TW"), ("zh_TW", "zh-TW"), ("zh-Hans-SG", "zh-CN"), ("zh-HK", "yue"), ("zh-Hant-HK", "yue")],
        *[("zh", "zh"), ("sr-Latn", "sr"), ("pt-BR", "pt"), ("pt-PT", "pt-PT")],
    ],
)
def test_languages_of_today_reach_google_by_its_own_codes(language, code):
    from urllib.parse import unquote_plus

    voice = GoogleVoice()
    assert voice.obstacle(language) is None
    (body,) = voice._bodies("Anna", language)
    assert f'\\"{code}\\"' in unquote_plus(body.decode())
