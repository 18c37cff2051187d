"""Try an accelerator's delegate before it is loaded into the daemon.

A delegate is a library with TFLite's external delegate interface (``tflite_plugin_create_delegate``). It is code of
somebody else's: it may not load, refuse a model, compute something else, hang, or end the process. So it first runs
every model once in a process of its own, on the golden input. Only one that passes is loaded into the daemon.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.domain.errors import FacesecureError
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.interpreter import Delegation
from facesecure.vision.inference.model_card import Model

LIMIT = 20.0
"""Seconds that a delegate has to run every model once: less than the 30 after which systemd's watchdog acts."""
_PROGRAM = (
    "import sys; answers, *sys.path[:] = sys.argv[1:]; "
    "from facesecure.vision.inference.delegate_trial import main; main(int(answers))"
)


_MEND = "check that the accelerator is connected, and that its library is made for this system and TFLite"
_SAME_RESULTS = "its results cannot be trusted: report it to the maker of its library"
_COMPILED = "it may need models that were compiled for it, which ours are not"


class DelegateError(FacesecureError):
    """An accelerator's library cannot be used."""

    def __init__(self, message: str, remedy: str = _MEND) -> None:
        super().__init__(message, f'{remedy}; or set [inference] delegate = "none"')


@dataclass(frozen=True, slots=True)
class ModelTrial:
    """How a delegate ran the model ``name``: ``taken`` operations, None if it refused or the runtime does not tell.

    ``refusal`` is why the processor runs it instead, empty if the delegate runs it.
    """

    name: str
    taken: Delegation | None
    refusal: str = ""

    def __str__(self) -> str:
        if self.refusal:
            return f"not {self.name} ({self.refusal})"
        if self.taken is None:
            return f"{self.name}, of which the runtime does not tell how much"
        return f"{self.taken.delegated} of {self.taken.nodes} operations of {self.name}"


def library_problem(library: Path, state_dir: Path | None) -> str:
    """Return why ``library`` may not be loaded, empty if nothing speaks against it.

    It becomes part of the daemon. So it must not lie in ``state_dir``, nor may a link on the way, and nobody but its
    owner may be able to change it.
    """
    try:
        real = library.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return f"there is no file {library}"
    if not stat.S_ISREG(mode):
        return f"{library} is not a file"
    if state_dir is not None and any(_lies_in(step, state_dir) for step in _steps(library)):
        return f"{library} leads into the state directory, which no program is loaded from"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{library} can be changed by others than its owner"
    return ""


def _steps(path: Path) -> Iterator[Path]:
    """Yield ``path``, and each path that its links lead to, one link at a time; it must exist."""
    step = _absolute(path)
    while True:
        yield step
        link = next((part for part in (*reversed(step.parents), step) if part.is_symlink()), None)
        if link is None:
            return
        step = _absolute(link.parent / link.readlink() / step.relative_to(link))


def _lies_in(path: Path, folder: Path) -> bool:
    return any(path.is_relative_to(one) for one in (_absolute(folder), folder.resolve()))


def _absolute(path: Path) -> Path:
    """Return ``path`` from the root, with its links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def try_delegate(backend: Backend, models: Sequence[Model]) -> list[ModelTrial]:
    """Run each of ``models`` once on ``backend``, which has a delegate, in another process; return how each went.

    Raises DelegateError if it runs none of them, crashes, hangs, or gives other results than the cards say.
    """
    ended, answers = _answers(backend, models)
    if ended is not None:
        where = "at its end" if len(answers) == len(models) else f"with {models[len(answers)].card.name}"
        raise DelegateError(f"{backend.delegate} {ended} {where}")
    trials = [_judged(backend, model, answer) for model, answer in zip(models, answers, strict=True)]
    if all(one.refusal for one in trials):
        raise DelegateError(f"{backend.delegate}: {trials[0].refusal}")
    if all(one.refusal or (one.taken is not None and not one.taken.delegated) for one in trials):
        raise DelegateError(f"{backend.delegate} takes no operation of any model", _COMPILED)
    return trials


def _judged(backend: Backend, model: Model, answer: dict[str, Any]) -> ModelTrial:
    golden, name = model.card.golden, model.card.name
    if golden is not None and not answer["refusal"]:
        worst = golden.distance([np.asarray(output, np.float32) for output in answer["outputs"]])
        if not worst <= golden.tolerance:
            raise DelegateError(f"{backend.delegate} gives other results for {name}: {worst:.3g} away", _SAME_RESULTS)
    taken = answer["taken"]
    return ModelTrial(name, None if taken is None else Delegation(*taken), answer["refusal"])


def _answers(backend: Backend, models: Sequence[Model]) -> tuple[str | None, list[dict[str, Any]]]:
    """Return how the process failed, None if it did not, and its answers about the models that it came to."""
    found = os.memfd_create("answers", os.MFD_CLOEXEC)
    paths = dict.fromkeys(path for path in sys.path if path.startswith("/"))
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(found), *paths]
    try:
        ended = _run(command, _request(backend, models), found)
        with os.fdopen(os.dup(found), "rb") as file:
            file.seek(0)
            answers = [json.loads(line) for line in file.read().splitlines()]
        return ended or (None if len(answers) == len(models) else "ends the process"), answers
    finally:
        os.close(found)


def _run(command: list[str], request: bytes, answers: int) -> str | None:
    try:
        done = subprocess.run(
            command, input=request, pass_fds=[answers], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"does not come to an end in {LIMIT:.0f} s"
    except OSError as error:
        return f"cannot be tried ({error.strerror})"
    if done.returncode < 0:
        return f"crashes ({signal.Signals(-done.returncode).name})"
    return None if done.returncode == 0 else "fails"


def _request(backend: Backend, models: Sequence[Model]) -> bytes:
    wanted = [_model_request(model) for model in models]
    return json.dumps({"delegate": str(backend.delegate), "threads": backend.threads, "models": wanted}).encode()


def _model_request(model: Model) -> dict[str, Any]:
    """Return the model with its golden input; with a black image where the card has none."""
    golden, spec = model.card.golden, model.card.input
    free = [1, 112, 112, 3]
    black = np.zeros([side or free[place] for place, side in enumerate(spec.shape)], spec.dtype)
    image: np.ndarray[Any, Any] = black if golden is None else golden.input()
    return {
        "content": base64.b64encode(model.content).decode(),
        "shape": image.shape,
        "dtype": str(image.dtype),
        "input": base64.b64encode(image.tobytes()).decode(),
    }
