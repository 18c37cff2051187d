"""Somebody has an owner's session, or can write to the state directory: the settings must not become their program."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Refused
from facesecure.config.changeable import locked
from facesecure.domain.accounts import Role
from facesecure.domain.errors import ConfigError
from facesecure.services import settings_overlay
from facesecure.services.diagnostics.result import CheckContext, Health
from facesecure.services.diagnostics.state import signatures
from facesecure.services.settings_file import Place, SettingsRefused, change_settings, merged
from facesecure.services.settings_form import sections
from facesecure.services.settings_overlay import PageSetting
from facesecure.storage.signed_documents import SignedDocuments
from support.faults.table import attack
from support.page_settings import SettingsPage, settings_page

Saw = Callable[[str], None]
TEXT = """\
[camera]
source = "rtsp://anna:hunter2secret@cam/main"

[plugins.webhook]
url = "https://example.org/hook"
secret = "whsec_c2VjcmV0c2VjcmV0"
"""
PROGRAMS = {
    "inference.delegate": "/var/lib/facesecure/evil.so",
    "recognizer.model": "/var/lib/facesecure/evil.tflite",
    "recognizer.embedder": "/var/lib/facesecure/evil.tflite",
    "speech.piper_model": "/var/lib/facesecure/evil.onnx",
    "state_dir": "/tmp/evil",
    "plugins.log.file": "/etc/cron.d/evil",
    "plugins.speaker.device": "file:FILE='|touch /tmp/evil',SLAVE=null",
    "plugins.notify.urls": "syslog://",
    "plugins.webhook.url": "https://evil.example/",
    "plugins.webhook.headers": "X = y",
    "plugins.google_home.serve_address": "0.0.0.0",
    "camera.name": "../../evil",
    "store.audit_days": "0.0001",
    "web.hosts": "evil.example",
    "policy.rules": "[]",
}
SOURCES = (
    "file:/etc/shadow",
    "dir:/etc",
    "/etc/passwd",
    "v4l2:/dev/mem",
    "http://evil/",
    "concat:/a|/b",
    "rtsp://a\nb",
)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[SettingsPage]:
    with settings_page(tmp_path, TEXT) as page:
        yield page


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SettingsPage]:
    with settings_page(tmp_path, TEXT, writable=True) as page:
        yield page


def outcome(page: SettingsPage, texts: dict[str, str]) -> str:
    """What saving ``texts`` comes to: "saved", or why not."""
    try:
        found = page.save(texts)
    except Refused as error:
        return error.message
    return "; ".join(one["text"] for one in found["problems"]) or "saved"


@attack(
    "settings that run programs changed on the page",
    how="15 settings (a library, models, paths, devices, addresses), and 7 files as the camera",
)
def test_an_owner_s_session_runs_reads_and_writes_nothing(own: SettingsPage, saw: Saw) -> None:
    for key, value in PROGRAMS.items():
        assert outcome(own, {key: value}) != "saved", key
    for source in SOURCES:
        assert outcome(own, {"camera.source": source}) != "saved", source
        assert outcome(own, {"camera.detect": source}) != "saved", source
    assert own.file.read_text() == TEXT
    assert not own.reloads.rejected
    saw(f"{len(PROGRAMS) + 2 * len(SOURCES)} of {len(PROGRAMS) + 2 * len(SOURCES)} refused, the file is as it was")


@attack(
    "settings brought along in a value",
    how="quotes, line breaks, NUL, brackets and comments in texts, lists, tables and names of tables",
)
def test_no_value_brings_another_setting_along(own: SettingsPage, saw: Saw) -> None:
    evil = [
        '"]\nstate_dir = "/tmp',
        'x"\n[inference]\ndelegate = "/evil.so',
        "'''\n[web]",
        "\\",
        "\x7f",
        "#",
        "\u2028",
        "\0",
    ]
    tried = 0
    for text in evil:
        for key, value in (
            ("speech.where", text), ("policy.quiet", text), ("policy.aloud", text), ("plugins.notify.title", text),
            ("speech.phrases", f"stranger = {text}"), ("speech.phrases", f"{text} = x"),
            ("alerts.fallback", f"{text} = log"),
        ):  # fmt: skip
            outcome(own, {key: value})
            tried += 1
            tables = tomllib.loads(own.file.read_text())
            assert set(tables) <= {"camera", "plugins", "speech", "policy", "alerts"}, (key, text)
            assert tables["plugins"]["webhook"]["url"] == "https://example.org/hook"
            for own_table in ("camera", "speech", "policy", "alerts"):
                assert all(locked((own_table, name)) is None for name in tables.get(own_table, {})), (key, text)
    saw(f"{tried} values changed no other setting: what is not one line of text is refused, the rest is quoted")


@attack(
    "what the page set is edited in the state folder",
    how="settings.json edited; and signed with the right key: a library, a log file, a file as the camera",
)
def test_settings_of_others_do_not_count_and_even_signed_run_nothing(page: SettingsPage, saw: Saw) -> None:
    page.save({"policy.known_cooldown": "60"})
    stored = page.state / "settings.json"
    written = json.loads(stored.read_text())
    written["values"][0]["value"] = 0.0
    stored.write_text(json.dumps(written))
    assert settings_overlay.load(page.file, {}, page.state).policy.known_cooldown == 300
    failures = [
        one.message
        for one in signatures(CheckContext(page.page.parts.config, page.file, page.state))
        if one.health is Health.FAIL
    ]
    assert any("settings.json" in message for message in failures)

    evil = [
        PageSetting(("inference", "delegate"), "/evil.so"),
        PageSetting(("plugins", "log", "file"), "/etc/cron.d/evil"),
        PageSetting(("camera", "source"), "file:/etc/shadow"),
        PageSetting(("state_dir",), "/tmp"),
        PageSetting(("plugins", "log"), {"file": "/evil"}),
        PageSetting(("plugins",), {"log": {"file": "/evil"}}),
        PageSetting(("camera", "fps"), 5.0),
    ]
    SignedDocuments(page.state).write("settings.json", settings_overlay.document(evil))
    config = settings_overlay.load(page.file, {}, page.state)
    assert (config.inference.delegate, config.state_dir, config.plugins["log"]) == ("none", None, {})
    assert config.camera.source.startswith("rtsp://")
    assert config.camera.fps == 5
    saw("what was edited is not used, and doctor names it; of what was signed, only what the page may change counts")


@attack(
    "settings changed by who may not",
    how="a kiosk, a viewer, a member, an owner without the password: form, preview, save, undo, hours, key",
)
def test_only_an_owner_with_the_password_changes_settings(page: SettingsPage, saw: Saw) -> None:
    revision, refused = page.revision, 0
    changes = {"revision": revision, "texts": {"camera.fps": "5"}}
    week = {"revision": revision, "away": [], "quiet": []}
    asked = [("settings-schema", {}), ("settings-state", {}), ("settings-preview", changes), ("settings-save", changes),
             ("settings-undo", {"revision": revision}), ("health-check", {}), ("health-key-kept", {})]  # fmt: skip
    for role in (Role.KIOSK, Role.VIEWER, Role.MEMBER):
        for verb, arguments in asked:
            with pytest.raises(Refused) as caught:
                page.ask(verb, arguments, role=role)
            assert caught.value.kind is Refusal.FORBIDDEN, (role, verb)
            refused += 1
    with pytest.raises(Refused) as caught:
        page.ask("arming-hours", week, role=Role.VIEWER)
    assert caught.value.kind is Refusal.FORBIDDEN
    for verb, arguments, role in (
        ("settings-save", changes, Role.OWNER), ("settings-undo", {"revision": revision}, Role.OWNER),
        ("arming-hours", week, Role.MEMBER), ("health-key-kept", {}, Role.OWNER),
    ):  # fmt: skip
        with pytest.raises(Refused) as caught:
            page.ask(verb, arguments, role=role, confirmed=False)
        assert caught.value.kind is Refusal.CONFIRM, verb
        refused += 1
    assert page.revision == revision
    saw(f"{refused + 1} of {refused + 1} refused, nothing changed")


@attack(
    "settings saved over newer ones",
    how="a form opened before root edited the file, before another owner saved, and the same undo twice",
)
def test_a_stale_form_overwrites_nothing(own: SettingsPage, saw: Saw) -> None:
    old = own.revision
    own.save({"camera.fps": "5"})
    for verb, arguments in (
        ("settings-save", {"revision": old, "texts": {"camera.fps": "9"}}),
        ("settings-preview", {"revision": old, "texts": {"camera.fps": "9"}}),
        ("settings-undo", {"revision": old}),
    ):
        with pytest.raises(Refused) as caught:
            own.ask(verb, arguments)
        assert (caught.value.kind, caught.value.argument) == (Refusal.INVALID, "revision")
    newest = own.revision
    own.ask("settings-undo", {"revision": newest})
    with pytest.raises(Refused):
        own.ask("settings-undo", {"revision": newest})
    own.save({"camera.fps": "7"})
    own.file.write_text(own.file.read_text() + "# root was here\n")
    with pytest.raises(Refused):
        own.ask("settings-undo", {"revision": own.revision})
    assert own.file.read_text().endswith("# root was here\n")
    saw("refused each time: “the settings were changed since this page was opened”")


@attack(
    "huge settings",
    how="texts of 20 kB, 301 settings, numbers of 5000 digits, 1e999, nan, 1800 hours, a file of 300 kB",
)
def test_huge_values_are_refused(own: SettingsPage, saw: Saw) -> None:
    texts = {
        "camera.fps": ["1e999", "nan", "-inf", "9" * 5000, "0x10", "1_0", "١٢"],
        "camera.width": ["9" * 5000, "1.5", "1e3"],
        "policy.quiet": ["\n".join(["22:00-07:0"] * 1800), "[" * 5000],
        "speech.where": ["x\ny", "\0"],
        "speech.accent": ["a" * 20_000, "../../x", "com/evil"],
        "speech.language": ["x; touch /tmp/evil", "en --evil"],
    }
    tried = 0
    for key, values in texts.items():
        for value in values:
            assert (found := outcome(own, {key: value})) != "saved", (key, value)
            assert len(found) < 30_000
            tried += 1
    with pytest.raises(Refused) as caught:
        own.save({f"x{number}": "1" for number in range(301)})
    assert caught.value.kind is Refusal.INVALID
    with pytest.raises(Refused):
        own.save({"speech.where": "x" * 20_001})
    assert own.file.read_text() == TEXT
    own.file.write_text("#" * 300_000)
    with pytest.raises(Refused):
        own.ask("settings-schema")
    saw(f"{tried + 3} refused in plain words; a file of more than 256 kB is left alone")


@attack(
    "passwords read from the settings",
    how="the form, differences, errors and histories, as an owner; another host with the hidden password",
)
def test_no_password_is_answered_or_sent_elsewhere(page: SettingsPage, saw: Saw) -> None:
    answers = [str(page.ask("settings-schema")), str(page.save({"camera.detect": "rtsp://anna:hunter2secret@cam/sub"}))]
    answers += [str(page.ask("settings-state")), str(page.ask("arming")), str(page.ask("health"))]
    for host in ("evil.example", "cam.evil.example", "cam:8554"):
        answers.append(outcome(page, {"camera.source": f"rtsp://***@{host}/main"}))
        assert answers[-1].startswith("write all of it, with its password")
    answers.append(str(page.ask("settings-undo", {"revision": page.revision})))
    assert not [answer for answer in answers if "hunter2" in answer or "c2VjcmV0" in answer]
    stored = page.state / "settings-history.json"
    assert stored.stat().st_mode & 0o077 == 0
    saw("hidden in every answer; a hidden password goes to no other host")


def test_every_setting_of_the_form_is_decided_on(page: SettingsPage) -> None:
    """A new setting is not changeable until somebody has thought about it; texts and lists are named here."""
    from facesecure.services import settings_file

    form = sections(settings_file.read(page.page.parts.settings.place)) if page.page.parts.settings else []
    free = {
        field.key for section in form for field in section.fields
        if field.reason is None and field.shape.kind.value in ("text", "lines", "table", "other", "amount")
    }  # fmt: skip
    assert free == {
        "camera.source", "camera.where", "camera.detect", "camera.mask", "camera.zones", "motion.mask",
        "verdict.false_accept", "verdict.false_stranger", "speech.language", "speech.where", "speech.accent",
        "speech.phrases", "policy.away", "policy.quiet", "policy.aloud", "alerts.fallback", "plugins.notify.title",
        "plugins.google_home.volume",
    }  # fmt: skip


def test_a_link_in_the_place_of_the_file_is_followed_only_where_it_leads_to_an_own_file(tmp_path: Path) -> None:
    with settings_page(tmp_path, TEXT) as page:
        link = tmp_path / "door.toml"
        link.symlink_to(page.file)
        place = Place(link, page.state)
        assert not place.edits_file
        change_settings(place, {("camera", "fps"): 5.0})
        assert page.file.read_text() == TEXT
        assert "fps = 5.0" in merged(place)
        with pytest.raises(SettingsRefused):
            change_settings(place, {("inference", "delegate"): "/evil.so"})
        with pytest.raises(ConfigError):
            change_settings(replace(place, config_file=tmp_path / "none.toml"), {("camera", "fps"): 5.0})
