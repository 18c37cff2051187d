"""No secret of the configuration leaves through any door: log, errors, doctor, status, alerts, config check."""

import json
import logging
import sys
import threading
from urllib.parse import quote

import pytest

from facesecure.alerts.plugins.loader import PluginStatus, _Failed, reason_of
from facesecure.app.control.protocol import failure
from facesecure.cli.main import _explain_thread, main
from facesecure.cli.settings import Settings, configure_logging
from facesecure.config.loader import load_config
from facesecure.domain.camera_events import CameraEvent, Trouble
from facesecure.domain.errors import PluginError, SourceError
from facesecure.domain.wire.alerts import AlertMessage
from facesecure.services.diagnostics import CheckContext, run_checks
from facesecure.util.containment import describe
from facesecure_plugins.log import journal_fields, readable
from support.policy import Door

ADDRESSES = {
    "quoted": ("rtsp://admin:pa'ss\"word1@cam/live", "pa'ss\"word1"),
    "with a space": ("rtsp://admin:pass word1@cam/live", "pass word1"),
    "with a slash": ("rtsp://admin:pass/word1#@cam/live", "pass/word1#"),
    "percent-encoded": ("rtsp://admin:p%40ss%20word1@cam/live", "p@ss word1"),
    "alone": ("rtsp://passw0rd1@cam/live", "passw0rd1"),
    "path": ("rtsps://nvr:7441/aBcDeFgH1234?enableSrtp", "aBcDeFgH1234"),
    "underscores": ("rtsp://cam/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp", "tlJwpbo6"),
    "path after the user": ("rtsp://cam/live/admin/swordfish/ch1", "swordfish"),
    **{
        name: (f"rtsp://cam/live?{name}=s3samE99", "s3samE99")
        for name in ("authbasic", "loginpas", "p", "api_key", "apikey", "access_token", "userpwd")
    },
}
TEXTS = {
    "as it is": lambda address, secret: f"cannot open {address}: it refused {secret}",
    "quoted": lambda address, secret: f"cannot open {address!r}: it refused {secret!r}",
    "encoded": lambda address, secret: f"it refused {quote(secret, safe='')}",
}


def log_line(text, capsys, tmp_path):
    configure_logging(Settings())
    logging.getLogger("some.library").warning("%s", text)


def logged_exception(text, capsys, tmp_path):
    configure_logging(Settings())
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("some.plugin").exception("it broke")


def traceback_in_the_log(text, capsys, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESECURE_DEBUG", "1")
        logged_exception(text, capsys, tmp_path)


def journal_line(text, capsys, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOURNAL_STREAM", "1:2")
        log_line(text, capsys, tmp_path)


def own_error(text, capsys, tmp_path):
    error = SourceError(text, text)
    return f"{error} {error!r} {error.message} {error.hint}"


def exception_in_the_terminal(text, capsys, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facesecure.cli.main._run", lambda _: raising(RuntimeError(text)))
        main(["status"])
        patch.setenv("FACESECURE_DEBUG", "1")
        main(["status"])


def exception_in_a_thread(text, capsys, tmp_path):
    try:
        raise RuntimeError(text)
    except RuntimeError:
        _explain_thread(threading.ExceptHookArgs((*sys.exc_info(), None)))


def raising(error):
    raise error


def doctor(text, capsys, tmp_path):
    checks = {"own": lambda _: raising(SourceError(text, text)), "other": lambda _: raising(ValueError(text))}
    return str(list(run_checks(CheckContext(load_config(), None, tmp_path), checks)))


def status(text, capsys, tmp_path):
    return f"{describe(ValueError(text))} {json.dumps(failure(SourceError(text).message, SourceError(text).hint))}"


def plugin_list(text, capsys, tmp_path):
    failed = _Failed(PluginStatus.CONFIG_ERROR, text, text)
    return f"{failed} {failed.reason} {failed.hint} {reason_of(ValueError(text))} {reason_of(PluginError(text))}"


def alert(text, capsys, tmp_path):
    event = CameraEvent(Trouble.OFFLINE, over=False, why=text)
    door = Door()
    alerts = [*door.policy.on_camera_event("offline", why=text), *door.policy.on_service_event("unwritable", why=text)]
    assert len(alerts) == 2
    sent = [(AlertMessage.of(one).as_json(), readable(one), journal_fields(one)) for one in alerts]
    return f"{event} {sent}"


DOORS = [
    log_line,
    logged_exception,
    traceback_in_the_log,
    journal_line,
    own_error,
    exception_in_the_terminal,
    exception_in_a_thread,
    doctor,
    status,
    plugin_list,
    alert,
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_no_secret_leaves(door, text, address, tmp_path, capsys):
    source, secret = ADDRESSES[address]
    file = tmp_path / "door.toml"
    file.write_text(f"[camera]\nsource = {json.dumps(source)}\n")
    load_config(file)
    shown = (door(TEXTS[text](source, secret), capsys, tmp_path) or "") + "".join(capsys.readouterr())
    assert "***" in shown
    for form in (secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1]):
        assert form not in shown


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "mistake",
    [
        "[camera]\nsorce = {}",
        "[camera]\nfile_speed = {}",
        "[camera]\nwidth = {}",
        "[camera]\nsource = {}\nfps = 0",
        "camera = {}",
        "[detector]\nkind = {}",
        "[plugins.webhook]\nurl = {}",
        "[plugins.webhook]\nheaders = {}",
        "[plugins.notify]\nurls = {}",
        "[plugins.log]\nfiel = {}",
        "[plugins.log]\nenabled = {}",
    ],
)
def test_a_wrong_configuration_is_told_of_without_its_secrets(facesecure, tmp_path, mistake, address):
    source, secret = ADDRESSES[address]
    file = tmp_path / "door.toml"
    file.write_text(mistake.format(json.dumps(source)) + "\n")
    outcome = facesecure("config", "check", file, "--json")
    assert outcome.code == 2
    assert secret not in outcome.out + outcome.err
    assert source[:20] not in outcome.out + outcome.err or secret not in source[:20]


def test_a_number_that_may_be_a_pin_is_not_repeated(facesecure, tmp_path):
    file = tmp_path / "door.toml"
    file.write_text("[plugins.webhook]\nurl = 'http://localhost/'\nsecret = 48291377\n")
    outcome = facesecure("config", "check", file)
    assert outcome.code == 2
    assert "48291377" not in outcome.out + outcome.err


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "command", [("run", "{}", "x"), ("config", "check", "x", "{}"), ("enroll", "A", "--camera", "{}")]
)
def test_an_argument_is_not_repeated_with_its_secret(facesecure, address, command):
    source, secret = ADDRESSES[address]
    if command[0] != "enroll" and "admin:" not in source and "passw0rd1" not in source:
        pytest.skip("nothing says that this argument holds a secret")
    if command[0] == "enroll":
        source = source.replace("rtsp", "rtps", 1)  # a typing error, so that nothing is opened
    outcome = facesecure(*(word.format(source) for word in command))
    assert outcome.code != 0
    assert secret not in outcome.out + outcome.err
