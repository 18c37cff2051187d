"""Begins a training with the weights of an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.networks import saved


def begin_with(network: Any, source: Path) -> None:
    """Set the weights of ``network`` to those of the network in ``source``, a .keras file or the folder of a run.

    Raises ModelError if there is none, UsageError if it is a network of another shape.
    """
    earlier = saved.read(source)
    shapes = [[tuple(weight.shape) for weight in one.get_weights()] for one in (earlier, network)]
    if shapes[0] != shapes[1]:
        raise UsageError(
            f"{source} holds a network of another shape", "give the same --blocks, --growth, --theta and --embedding"
        )
    network.set_weights(earlier.get_weights())
