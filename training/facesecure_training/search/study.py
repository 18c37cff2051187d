"""A search in a database: several workers can share it, any of them may die, and it can be resumed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from facesecure.domain.errors import FacesecureError, ImageError, UsageError
from facesecure.util.installing import install_extra

Sampler = Literal["random", "tpe"]
Pruner = Literal["none", "median"]
Objective = Callable[[Any], float]
_HEARTBEAT_S, _GRACE_S, _RETRIES = 5, 20, 1

_log = logging.getLogger(__name__)


def optuna() -> Any:
    """Return the optuna module with its messages silenced. Raises FacesecureError if it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise FacesecureError(
            f"this command needs optuna ({error})", f"install the extra: {install_extra('training')}"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it warns of a failed trial with a traceback
    warnings.simplefilter(
        "ignore", optuna.exceptions.ExperimentalWarning
    )  # heartbeats have been experimental since 2021
    return optuna


def open_study(
    url: str,
    name: str,
    *,
    resume: bool,
    higher: bool = True,
    sampler: Sampler = "random",
    pruner: Pruner = "none",
    seed: int = 0,
    worker: int = 0,
    heartbeat_s: int = _HEARTBEAT_S,
    grace_s: int = _GRACE_S,
) -> Any:
    """Return the optuna.Study ``name`` at ``url``.

    Workers with different numbers draw different trials; so does one that resumes a search. A worker sends a heartbeat
    every ``heartbeat_s`` seconds; the trial of one that has been silent for ``grace_s`` is marked failed and repeated,
    once. Raises UsageError if the study exists and ``resume`` was not asked for, or the database cannot be opened.
    """
    tuna = optuna()
    from sqlalchemy.exc import SQLAlchemyError

    again = tuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=_RETRIES)
    try:
        storage = tuna.storages.RDBStorage(
            url, heartbeat_interval=heartbeat_s, grace_period=grace_s, heartbeat_stale_trial_callback=again
        )
        study = tuna.create_study(
            study_name=name,
            storage=storage,
            pruner=tuna.pruners.MedianPruner() if pruner == "median" else tuna.pruners.NopPruner(),
            direction="maximize" if higher else "minimize",
            load_if_exists=resume,
        )
    except tuna.exceptions.DuplicatedStudyError:
        storage.remove_session()
        storage.engine.dispose()
        raise UsageError(f"{url} already holds the search {name!r}", "add --resume to continue it") from None
    except (SQLAlchemyError, tuna.exceptions.StorageInternalError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"cannot open {url}: {reason}", _how_to_reach(error)) from None
    study.sampler = _sampler(tuna, sampler, (seed, worker, len(study.get_trials(deepcopy=False))))
    return study


def _how_to_reach(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"install what it needs; for PostgreSQL: {install_extra('hub')}"
    return "write it as sqlite:///search.db, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def _sampler(tuna: Any, kind: Sampler, seed: tuple[int, ...]) -> Any:
    made = tuna.samplers.TPESampler if kind == "tpe" else tuna.samplers.RandomSampler
    return made(seed=int(np.random.default_rng(seed).integers(2**31)))


def ended() -> tuple[Any, ...]:
    """Return the states of trials that count: those that went to their end, and those that were ended early."""
    states = optuna().trial.TrialState
    return states.COMPLETE, states.PRUNED


def run(study: Any, objective: Objective, trials: int, on_trial: Callable[[Any], None] = lambda trial: None) -> None:  # noqa: ARG005
    """Run trials until the study has ``trials`` finished ones, over all workers; ``on_trial`` is called after each.

    A trial whose training diverges counts as pruned. One that another worker has ended meanwhile counts once: a worker
    too busy for heartbeats is taken for dead, and two on SQLite may take one waiting trial.
    """
    enough = optuna().study.MaxTrialsCallback(trials, states=ended())
    work = _Work(objective)

    def told(_: Any, trial: Any) -> None:
        work.last = None  # what is raised here is no fault of the trial
        on_trial(trial)

    while len(study.get_trials(deepcopy=False, states=ended())) < trials:
        try:
            study.optimize(work, callbacks=[enough, told])
            return
        except ValueError:
            if work.last is None or not study.get_trials(deepcopy=False)[work.last].state.is_finished():
                raise
            _log.warning("trial %s was ended by another worker as well; its result here is left out", work.last)


class _Work:
    """An objective in which a diverging training ends its trial and not the search.

    Some learning rates make it diverge. ``last`` is the trial that ended last; None if an error ended the search.
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.last: int | None = None

    def __call__(self, trial: Any) -> float:
        self.last = trial.number
        try:
            return self._objective(trial)
        except (optuna().TrialPruned, optuna().exceptions.UpdateFinishedTrialError):
            raise
        except FacesecureError as error:
            if isinstance(error, UsageError | ImageError):  # not caused by the trial: the next would fail as well
                self.last = None
                raise
            trial.set_user_attr("why", error.message)
            raise optuna().TrialPruned from error
        except BaseException:
            self.last = None
            raise
