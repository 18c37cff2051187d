"""Several machines that train one network together, by tf.distribute: each has a part of every batch.

They talk to each other by gRPC, unencrypted and without passwords: only in a network of their own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.recipes import checkpoint
from facesecure_training.recipes.checkpoint import TrainingProgress


@dataclass(frozen=True, slots=True)
class TrainingHosts:
    """The ``addresses`` (HOST:PORT) of all machines, the same everywhere, and the ``index`` of this one.

    The first writes the run. Example::

        TrainingHosts.of("10.0.0.5:2222,10.0.0.6:2222", 1).folder(Path("run"))  # run/worker-1
    """

    addresses: tuple[str, ...]
    index: int

    @classmethod
    def of(cls, addresses: str | None, index: int) -> Self:
        """Read ``addresses``, separated by commas; without them, TensorFlow's own TF_CONFIG. Raises UsageError."""
        if addresses is None:
            return cls._of_environment()
        found = tuple(one.strip() for one in addresses.split(","))
        wrong = [one for one in found if not one.rpartition(":")[0] or not one.rpartition(":")[2].isdecimal()]
        if wrong or len(set(found)) < 2:
            raise UsageError(
                f"--hosts {addresses!r} is no list of machines", "write HOST:PORT,HOST:PORT, all different"
            )
        if not 0 <= index < len(found):
            raise UsageError(f"--host {index} is none of the {len(found)} machines", "they are counted from 0")
        return cls(found, index)

    @classmethod
    def _of_environment(cls) -> Self:
        try:
            document = json.loads(os.environ["TF_CONFIG"])
            return cls(tuple(document["cluster"]["worker"]), int(document["task"]["index"]))
        except (KeyError, ValueError, TypeError):
            raise UsageError(
                "--strategy multi-worker needs to know the machines",
                "add --hosts HOST:PORT,HOST:PORT and --host 0 (or 1)",
            ) from None

    @property
    def first(self) -> bool:
        """Whether this machine writes the run."""
        return self.index == 0

    def folder(self, out: Path) -> Path:
        """Return where this machine keeps its run: the first in ``out`` itself."""
        return out if self.first else out / f"worker-{self.index}"

    def strategy(self) -> Any:
        """Return the strategy; waits until all machines are there. Call it before TensorFlow computes anything."""
        task = {"type": "worker", "index": self.index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})
        return tensorflow().distribute.MultiWorkerMirroredStrategy()


@contextmanager
def naming_lost_hosts() -> Iterator[None]:
    """Raise FacesecureError, with what to do, if another machine stops answering inside the ``with`` block."""
    errors = tensorflow().errors
    try:
        yield
    except (errors.UnavailableError, errors.AbortedError, errors.DeadlineExceededError, errors.CancelledError) as error:
        raise FacesecureError(
            f"another machine of the training is gone ({str(error).splitlines()[0]})",
            "start all of them again with the same options and --resume",
        ) from None


def take_over(strategy: Any, variables: Sequence[Any], progress: TrainingProgress) -> TrainingProgress:
    """Give ``variables`` of every machine the values of the first one, and return the progress of the first one.

    The machines may have been stopped after different steps.
    """
    text = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8).astype(np.int64)
    length = int(_of_first(strategy, np.array([len(text)], np.int64))[0])
    padded = np.resize(text, length)
    found = _of_first(strategy, padded).astype(np.uint8).tobytes()
    for variable in variables:
        value = checkpoint.numpy(variable)
        kind = value.dtype if value.dtype.kind == "f" else np.dtype(np.int64)
        variable.assign(_of_first(strategy, value.astype(kind)).astype(value.dtype))
    return TrainingProgress(**json.loads(found))


def _of_first(strategy: Any, value: NDArray[Any]) -> NDArray[Any]:
    """Return the first machine's ``value``; all call it with values of one shape."""
    tf = tensorflow()

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator,unused-ignore]
    def shared(mine: Any) -> Any:
        def part(own: Any) -> Any:
            context = tf.distribute.get_replica_context()
            counts = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), own.dtype)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own * counts)

        return strategy.run(part, args=(mine,))

    return np.asarray(strategy.experimental_local_results(shared(tf.constant(value)))[0])
