"""Secrets: found in whatever the configuration holds, hidden in whatever form they come out, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.config.secrets import learn_secrets
from facesecure.util.redaction import Redactor, learn, learn_address, redact

PASSWORDS = [
    "hunter2",
    "pa ss'wo\"rd",
    "p@ss/w#or?d",
    "päss wörd€",
    "50%25off",
    "back\\slash1",
    "[bracket]",
    "a&b=c+d9",
]
FORMS = {
    "raw": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "partly encoded": quote,
    "in small hex": lambda text: quote(text, safe="").lower(),
    "as a form": quote_plus,
    "encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "as Python shows it": lambda text: repr(text)[1:-1],
    "ascii": lambda text: ascii(text)[1:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("written", [str, lambda text: quote(text, safe="")], ids=["unescaped", "escaped"])
def test_a_password_is_hidden_in_every_form(password: str, form: str, written) -> None:
    learn_address(f"rtsp://admin:{written(password)}@cam:554/live")
    shown = redact(f"cannot log in with {FORMS[form](password)}, it says")
    assert shown == "cannot log in with ***, it says"


def test_a_login_is_hidden_as_headers_send_it() -> None:
    learn_address("rtsp://admin:hunter%402@cam/live")
    login = base64.b64encode(b"admin:hunter@2").decode()
    assert login not in redact(f"sent {login} to the camera")


PARAMETERS = [
    "authbasic",
    "loginpas",
    "p",
    "pw",
    "pwd",
    "pass",
    "passwd",
    "password",
    "api_key",
    "apikey",
    "access_token",
    "token",
    "userpwd",
    "auth",
    "key",
    "secret",
    "sig",
    "signature",
    "session_token",
    "x-api-key",
    "client_secret",
]
SOURCES = {
    "rtsp://admin:hunter2@cam/live": "hunter2",
    "rtsp://hunter2@cam/live": "hunter2",
    "rtsp//admin:hunter2@cam/live": "hunter2",
    "admin:hunter2@cam/live": "hunter2",
    "rtsp://cam/user=admin_password=hunter2_channel=1_stream=0.sdp?real_stream": "hunter2",
    "rtsp://cam/user=admin&password=hunter2&channel=1": "hunter2",
    "rtsps://nvr:7441/aBcDeFgH1234?enableSrtp": "aBcDeFgH1234",
    "rtsp://cam/live/admin/swordfish/ch1": "swordfish",
    "rtsp://cam/admin:swordfish/ch1": "swordfish",
    **{f"rtsp://cam/live?{name}=s3same": "s3same" for name in PARAMETERS},
}


@pytest.mark.parametrize("source", SOURCES)
def test_what_the_configuration_holds_is_hidden_wherever_it_turns_up(source: str) -> None:
    secret = SOURCES[source]
    learn_secrets({"camera": {"source": source}})
    for text in (source, secret, f"error opening '{source}': timed out", f"wrong: {secret}; try again"):
        assert secret not in redact(text)


@pytest.mark.parametrize("setting", ["source", "detect"])
@pytest.mark.parametrize("address", ["rtsp://admin:mothb4lls@cam/sub", "admin:mothb4lls@10.0.0.3/sub"])
def test_what_each_of_several_cameras_holds_is_hidden(setting: str, address: str) -> None:
    learn_secrets({"cameras": [{"source": "dir:door/"}, {"name": "gate", setting: address}]})
    assert "mothb4lls" not in redact("401 Unauthorized: mothb4lls is wrong")


@pytest.mark.parametrize("source", SOURCES)
def test_an_address_is_hidden_by_its_shape_alone(source: str) -> None:
    """The three that no shape betrays need the configuration."""
    if not source.startswith("rtsp://") or "swordfish" in source:
        pytest.skip("shows a secret only to those who know it")
    assert SOURCES[source] not in redact(f"error opening '{source}': timed out")


@pytest.mark.parametrize(
    "password", ['pa"hunter2', "pa'hunter2", "pa hunter2", "pa@hunter2", "pa/hunter2", "pa://hunter2"]
)
def test_a_password_that_nobody_escaped_is_hidden_by_its_shape(password: str) -> None:
    shown = redact(f"error opening rtsp://admin:{password}@cam/live: timed out")
    assert shown == "error opening rtsp://***@cam/live: timed out"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic aHVudGVyMjpodW50ZXIy",
        "headers={'Authorization': 'Bearer s3same.s3same'}",
        "refused Bearer s3same.s3same1",
        '{"password": "s3same", "port": 1}',
        "Config(api_key='s3same')",
        "secret whsec_s3same",
        "rtsp%3A%2F%2Fadmin%3As3same%40cam",
        "source=rtsp://cam/live?password=s3same",
        "url=rtsp://cam/user=admin_password=s3same_channel=1",
        "a=b=c=token=s3same&d=e",
        r"rtsp:\/\/admin:s3same@cam\/live",
        "X-Api-Key: s3same",
        "Set-Cookie: session=s3same",
    ],
)
def test_a_secret_is_hidden_by_its_place(text: str) -> None:
    assert "s3same" not in redact(text)
    assert "aHVudGVyMjpodW50ZXIy" not in redact(text)


AWKWARD = [
    "semi;col9on",
    "amp&er9sand",
    "com,ma9word",
    "eq=u=al9s",
    "@start9at",
    "?quest9ion",
    "%%9double",
    "t%E4st9w%F6",
]
PARTS = [
    "rtsp://admin:{}@cam/live",
    "rtsp://cam/live?password={}",
    "rtsp://cam/live?user=admin&pwd={}&channel=1",
    "rtsp://cam/user=admin_password={}_channel=1_stream=0.sdp",
    "rtsp://cam/live;password={}",
    "rtsp://cam:554/live?session={}",
    "rtsp://cam/live?login=admin:{}",
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("password", AWKWARD)
def test_a_password_with_separators_is_hidden_as_a_whole_wherever_it_stands(password: str, part: str) -> None:
    learn_address(part.format(password))
    core = max(re.split(r"\W", password), key=len)
    for text in (part.format(password), f"refused {password}", f"it says {password!r}"):
        shown = redact(text)
        assert password not in shown
        assert core not in shown


@pytest.mark.parametrize("source", ["rtsp://tok3n9x:@cam/live", "rtsp://cam/aGVsbG8xMjM=/live"])
def test_a_token_is_hidden_without_what_marks_it(source: str) -> None:
    token = "tok3n9x" if "tok3n9x" in source else "aGVsbG8xMjM="
    learn_address(source)
    assert redact(f"refused {token}") == "refused ***"
    assert token not in redact(source)


PLUGINS = {
    "notify": {
        "urls": [
            "tgram://123456789:AbCdEf1234/-1001234567",
            "ntfy://porch-x7Qk2",
            "mailto://me:sw0rdfish@gmail.com",
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnl",
        ]
    },
    "webhook": {
        "url": "https://ha.local:8123/api/webhook/abcdef123?token=s3same1",
        "secret": "whsec_MTIzNDU2Nzg5MDEyMzQ1Ng==",
        "headers": {"Authorization": "Bearer 9d8c7b6a", "X-Door": "porch-key-77"},
    },
    "mine": {"api_token": "t0k3n", "pin": 482913, "login": {"password": "correct horse"}},
}


@pytest.mark.parametrize(
    "secret",
    [
        "AbCdEf1234",
        "porch-x7Qk2",
        "sw0rdfish",
        "A1BRTD4JD",
        "TIiajkdnl",
        "abcdef123",
        "s3same1",
        "MTIzNDU2Nzg5MDEyMzQ1Ng==",
        "9d8c7b6a",
        "porch-key-77",
        "t0k3n",
        "482913",
        "correct horse",
    ],
)
@pytest.mark.parametrize("section", ["plugins", "plugin"], ids=["right", "misspelt"])
def test_what_the_plugins_hold_is_hidden(secret: str, section: str) -> None:
    learn_secrets({section: PLUGINS})
    assert redact(f"refused: {secret}!") == "refused: ***!"


@pytest.mark.parametrize("password", ["1", "ab", "abc", "door", "password", "Admin"])
def test_a_password_too_short_or_too_ordinary_leaves_other_text_alone(password: str) -> None:
    source = f"rtsp://admin:{password}@cam/live"
    learn_address(source)
    plain = f"1 password for the admin of the abc lab at the front door: {password}"
    assert redact(plain) == plain
    assert redact(f"error opening '{source}'") == "error opening 'rtsp://***@cam/live'"


def test_a_short_password_is_hidden_as_a_word_only() -> None:
    learn("gate7", "longpassword")
    assert redact("gate7, (gate7) x%3Agate7%40 gate71 mygate7") == "***, (***) x%3A***%40 gate71 mygate7"
    assert redact("mylongpassword1") == "my***1"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://192.168.1.7:554/h264Preview_01_main does not answer in time",
        "in a password write %40 for @, %3A for : and %2F for /",
        "rtsp://cam/door refuses the password (write %40 for @, %3A for : and %2F for /)",
        "write rtsp://user:password@host:554/path",
        "write it as key=value",
        "p=0.75 for u=3",
        "plugin log: 3 sent, monkey=1",
        "Anna is at the front door",
        'set [plugins.webhook] url = "https://..."',
    ],
)
def test_text_without_a_secret_stays(text: str) -> None:
    learn_secrets({"camera": {"source": "rtsp://192.168.1.7:554/h264Preview_01_main"}, "store": {"snapshots": True}})
    assert redact(text) == text


def test_a_path_in_small_letters_is_hidden_in_addresses_only() -> None:
    learn_address("rtsp://cam/sesame")
    assert redact("open sesame: rtsp://cam/sesame?x=1") == "open sesame: rtsp://cam/***?x=1"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=4))
def test_whatever_was_learned_is_hidden(password: str) -> None:
    redactor = Redactor()
    redactor.learn_address(f"rtsp://admin:{quote(password, safe='')}@cam/live")
    for form in FORMS.values():
        shown = redactor.redact(f"rtsp://admin:{form(password)}@cam/live")
        assert shown == "rtsp://***@cam/live"
