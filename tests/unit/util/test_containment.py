"""Other people's code is contained: what it raises, how long it takes, and what it forks."""

from __future__ import annotations

import os
import threading
import time

import pytest

from facesecure.domain.errors import FacesecureError, PluginError
from facesecure.util.containment import ContainedError, contained, contained_in_time, describe
from facesecure.util.redaction import LONGEST, bounded


def raising(error: BaseException) -> None:
    def call() -> None:
        raise error

    contained(call, passed=FacesecureError)


def test_a_result_is_passed_on() -> None:
    assert contained(lambda: 7, passed=FacesecureError) == 7
    assert contained_in_time(lambda: 7, 5, passed=FacesecureError, name="seven") == 7


def test_an_expected_error_is_passed_on_as_it_is() -> None:
    with pytest.raises(PluginError, match="no sound") as caught:
        raising(PluginError("no sound", "turn it up"))
    assert caught.value.hint == "turn it up"


def test_an_error_of_megabytes_is_cut_whatever_its_kind() -> None:
    for error in (ValueError("x" * 20_000_000), PluginError("fine", "x" * 2_000_000)):
        with pytest.raises(ContainedError) as caught:
            raising(error)
        assert len(str(caught.value)) < LONGEST + 100
        assert caught.value.__context__ is None, "it would keep the megabytes"


def test_the_cut_leaves_no_half_of_a_secret() -> None:
    text = bounded("x" * (LONGEST - 30) + " rtsp://admin:" + "s3cret" * 20 + "@camera/live " + "y" * 5000)
    assert "s3cret" not in text


def test_no_half_of_a_secret_remains_where_others_before_it_were_shortened() -> None:
    hidden = f"password={'x' * 200} "
    text = hidden * (2 * LONGEST // len(hidden)) + "token='s3cret"
    assert "s3c" not in bounded(text + "s3cret" * 20 + "'" + "y" * 5000)


def test_ctrl_c_is_passed_on_on_the_main_thread_only() -> None:
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt())
    with pytest.raises(ContainedError, match="KeyboardInterrupt"):
        contained_in_time(lambda: raising(KeyboardInterrupt()), 5, passed=FacesecureError, name="stops")


def test_a_call_that_never_returns_is_left_behind() -> None:
    stop = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        contained_in_time(stop.wait, 0.1, passed=FacesecureError, name="hangs")
    stop.set()


def test_a_child_that_the_call_forked_ends_where_the_call_returns() -> None:
    read, write = os.pipe()
    contained(os.fork, passed=FacesecureError)
    os.write(write, b"one")  # a child that came here would write it a second time
    os.wait()
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "one"


def test_an_error_is_described_with_its_type() -> None:
    assert describe(OSError(5, "Input/output error")) == "OSError: [Errno 5] Input/output error"
    assert describe(ValueError()) == "ValueError"
    assert describe(ValueError("bad\udcff")) == "ValueError: bad\\udcff"


@pytest.mark.parametrize("piece", ["x", "a.", "://", "x://", "password='", "&a=b", "%3A%2F%2F", "Basic ", "(a", "'"])
def test_redaction_takes_no_square_of_a_texts_length(piece: str) -> None:
    def seconds(length: int) -> float:
        began = time.thread_time()  # without the threads that earlier tests left behind
        bounded(piece * (length // len(piece)), length)
        return time.thread_time() - began

    assert seconds(120_000) < 30 * max(seconds(12_000), 0.01), "ten times the text, a hundred times the work"
