"""The control socket, over real sockets and real users: who is answered, who is not, and what nobody can break."""

import gc
import grp
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from facesecure.app.control import protocol
from facesecure.app.control.client import ask
from facesecure.app.control.peer_credentials import Peer
from facesecure.app.control.protocol import ANSWER_LIMIT, REQUEST_LIMIT
from facesecure.app.control.server import ControlServer, serve_control
from facesecure.domain.actors import Actor, act_as, current_actor, user_name
from facesecure.domain.errors import ControlError, NoDaemonError, UsageError
from support.service.control import NOBODY, call_as, open_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can call as somebody else")
GAMES = "games"


def refuse(request):
    raise UsageError("there is no mode 'hoome'", "the modes are: home, away, off")


def stumble(request):
    raise RuntimeError("oops")


HANDLERS = {
    "ping": lambda request: {"pid": os.getpid()},
    "echo": lambda request: {"said": request.get("words")},
    "refuse": refuse,
    "stumble": stumble,
    "shapeless": lambda request: {"a set": {1, 2}},
    "actor": lambda request: asdict(current_actor()),
    "slow": lambda request: (time.sleep(0.3), {"done": True})[1],
}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def server(path, tmp_path):
    with ControlServer(HANDLERS, path, state_dir=tmp_path, timeout=30) as server:
        yield server


def raw(path: Path, content: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(content)
        return connection.makefile("rb").readline()


def test_a_question_is_answered(server, path):
    assert ask("echo", [path], {"words": "Zoé \n {}"}) == {"said": "Zoé \n {}"}
    assert ask("ping", [path]) == {"pid": os.getpid()}


def test_what_a_handler_refuses_the_caller_is_told_with_what_to_do(server, path):
    with pytest.raises(ControlError, match="no mode 'hoome'") as caught:
        ask("refuse", [path])
    assert caught.value.hint == "the modes are: home, away, off"


def test_an_unknown_command_is_told_with_what_was_meant(server, path):
    with pytest.raises(ControlError, match="there is no command 'pnig'") as caught:
        ask("pnig", [path])
    assert caught.value.hint == "did you mean 'ping'?"


@pytest.mark.parametrize("command", ["stumble", "shapeless"])
def test_a_bug_in_a_handler_is_the_callers_answer_and_the_logs_and_not_the_end(server, path, command, caplog):
    with pytest.raises(ControlError, match="Error"):
        ask(command, [path])
    assert "a control command failed" in caplog.text
    assert ask("ping", [path])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello\n", "not JSON"),
        (b"\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[1]\n", "not a JSON object"),
        (b"[" * 20000 + b"\n", "not JSON"),
        (b'{"command": "ping"}\n', "version None"),
        (b'{"version": 2, "command": "ping"}\n', "version 2"),
        (b'{"version": 1}\n', "no command 'None'"),
        (b'{"version": 1, "command": ["ping"]}\n', "no command"),
        (b"x" * (REQUEST_LIMIT + 2), "longer than"),
    ],
)
def test_nonsense_is_answered_in_words(server, path, content, said):
    answer = json.loads(raw(path, content))
    assert answer["ok"] is False
    assert said in answer["error"]
    assert ask("ping", [path])


def test_a_line_without_an_end_is_not_waited_for_long(path):
    with ControlServer(HANDLERS, path, timeout=0.5):
        answer = json.loads(raw(path, b"half a li"))
    assert answer["ok"] is False
    assert "no complete line arrived within 0.5 s" in answer["error"]


def test_a_caller_who_says_nothing_holds_up_nobody(server, path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.connect(str(path))
        began = time.monotonic()
        assert ask("ping", [path], seconds=30)
        assert time.monotonic() - began < 20, "that one is waited for for 30 s"


def test_a_caller_who_hangs_up_at_once_harms_nothing(server, path):
    for _ in range(20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.connect(str(path))
    assert ask("ping", [path])


def test_more_callers_than_there_is_room_for_are_told_so(server, path):
    answers: list[object] = []

    def call() -> None:
        try:
            answers.append(ask("slow", [path]))
        except ControlError as error:
            answers.append(error.message)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"done": True} in answers
    assert len(answers) == 12
    assert {str(answer) for answer in answers} <= {"{'done': True}", "8 commands are being answered already"}


def test_an_answer_that_takes_too_long_is_not_waited_for(path):
    with (
        ControlServer(HANDLERS, path, timeout=0.5),
        pytest.raises(ControlError, match=r"no complete line arrived within 0\.05 s"),
    ):
        ask("slow", [path], seconds=0.05)


def test_an_answer_of_any_reasonable_size_arrives(path):
    long = "x" * (ANSWER_LIMIT // 2)
    with ControlServer({"long": lambda request: {"text": long}}, path):
        assert ask("long", [path])["text"] == long


# Who may ask ----------------------------------------------------------------------------------------------------------


def test_the_socket_is_closed_to_all_but_owner_and_group(server, path):
    assert path.stat().st_mode & 0o777 == 0o660


@as_root
def test_another_user_cannot_even_connect():
    with open_folder() as folder, ControlServer(HANDLERS, folder / "control.sock"):
        assert call_as(folder / "control.sock", NOBODY) == {"os": "PermissionError"}


@as_root
def test_another_user_is_refused_in_words_where_somebody_loosened_the_file(caplog):
    with open_folder() as folder, ControlServer(HANDLERS, folder / "control.sock", group=GAMES):
        (folder / "control.sock").chmod(0o666)
        answer = call_as(folder / "control.sock", NOBODY)
    assert answer["ok"] is False
    assert answer["error"] == "user 65534 may not control facesecure: only root, and members of the group games"
    assert "sudo" in answer["hint"]
    assert "user 65534 may not" in caplog.text


@as_root
def test_a_member_of_the_group_is_answered():
    number = grp.getgrnam(GAMES).gr_gid
    with open_folder() as folder, ControlServer(HANDLERS, folder / "control.sock", group=GAMES):
        answer = call_as(folder / "control.sock", NOBODY, [number])
    assert answer["ok"] is True, answer


def test_a_group_that_is_not_there_lets_nobody_in():
    assert Peer(1, 1234, frozenset({1234})).refused("no-such-group").startswith("user 1234 may not")
    assert Peer(1, 0, frozenset()).refused("no-such-group") == ""
    assert Peer(1, os.geteuid(), frozenset()).refused("no-such-group") == ""


def test_who_acts_is_the_user_that_the_kernel_names(server, path):
    assert ask("actor", [path]) == {"name": user_name(os.getuid()), "origin": "control socket"}


def test_who_called_sudo_is_believed_of_root_and_of_the_daemons_own_user_only(server, path):
    act_as(Actor("anna (as root)", "command line"))
    try:
        assert ask("actor", [path])["name"] == "anna (as root)"
    finally:
        act_as(None)
    assert Peer(1, os.geteuid(), frozenset()).actor("anna\n").name == "anna"
    assert Peer(1, 4_000_000, frozenset()).actor("anna").name == "user 4000000"
    assert Peer(1, 0, frozenset()).actor(["anna"]).name == user_name(0)


@as_root
def test_the_client_says_how_to_be_let_in():
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from facesecure.app.control.client import ask; from facesecure.domain.errors import ControlError\n"
        "try: ask('ping', [Path(sys.argv[1])])\n"
        "except ControlError as error: print(error.message, '|', error.hint)\n"
    )
    daemon = Path(__file__).resolve().parents[4] / "daemon"
    with open_folder() as folder, ControlServer(HANDLERS, folder / "control.sock"):
        # Modules are read before the rights are given up: they may lie where only root can read.
        code = code.replace("import os;", "import facesecure.app.control.client, facesecure.domain.errors, os;")
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder / "control.sock"), str(daemon)],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    assert "no permission for " in done.stdout
    assert " | use sudo, or join the group and log in again" in done.stdout


# Coming and going -----------------------------------------------------------------------------------------------------


def test_nobody_there_is_told_apart_from_being_refused(path):
    with pytest.raises(NoDaemonError, match="not running"):
        ask("ping", [path, path.parent / "nowhere" / "control.sock"])


def test_the_socket_is_gone_when_the_daemon_is(path):
    with ControlServer(HANDLERS, path):
        assert path.exists()
    assert not path.exists()
    with pytest.raises(NoDaemonError):
        ask("ping", [path])


def test_what_a_killed_daemon_left_is_replaced(path):
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(path))
    left.close()
    with pytest.raises(NoDaemonError):
        ask("ping", [path])
    with ControlServer(HANDLERS, path):
        assert ask("ping", [path])


def test_a_living_daemons_socket_is_not_taken_from_it(server, path):
    with pytest.raises(ControlError, match="another facesecure is listening"), ControlServer(HANDLERS, path):
        pass
    assert ask("ping", [path])


def test_what_is_no_socket_is_left_alone(path):
    path.write_text("precious")
    with pytest.raises(ControlError, match="is not a socket"), ControlServer(HANDLERS, path):
        pass
    assert path.read_text() == "precious"


def test_a_daemon_that_cannot_listen_says_so_and_watches_on(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "missing"))
    with serve_control(HANDLERS, tmp_path):
        pass
    assert "facesecure arm, status and drill will not work" in caplog.text


def test_a_place_whose_path_is_too_long_for_a_socket_works_all_the_same(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with ControlServer(HANDLERS, deep / "control.sock"):
        assert ask("ping", [deep / "control.sock"])


def test_the_daemon_of_another_state_directory_is_not_asked(server, path, tmp_path):
    assert ask("ping", [path], state_dir=tmp_path)
    with pytest.raises(NoDaemonError):
        ask("ping", [path], state_dir=tmp_path / "other")


def test_a_service_is_found_in_its_runtime_directory_and_anything_else_in_its_state(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert protocol.own_place(tmp_path) == tmp_path / "control.sock"
    assert protocol.likely_places(tmp_path)[0] == tmp_path / "control.sock"
    assert protocol.likely_places(None) == [Path("/run/facesecure/control.sock")]
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/facesecure:/run/other")
    assert protocol.own_place(tmp_path) == Path("/run/facesecure/control.sock")


def test_nothing_is_left_running(path):
    gc.collect()  # what earlier tests left is not closed in between
    files = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with ControlServer(HANDLERS, path):
            ask("ping", [path])
    deadline = time.monotonic() + 20  # a thread that has answered is given a second
    while own_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert own_threads() == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= files


def own_threads() -> list[str]:
    """Return which threads belong to control sockets; those of other tests end when they like."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("control")]
