"""Modules of the [training] extra, imported when they are first needed, with a helpful error where they are missing.

``facesecure-train evaluate`` works without them.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from facesecure.domain.errors import FacesecureError
from facesecure.util.installing import found, install_extra
from facesecure.vision.inference.interpreter import native_messages_logged


def tensorflow(*, gpu: bool = False) -> Any:
    """Return the tensorflow module with its messages silenced.

    The first call decides for the process whether TensorFlow sees a GPU. Raises FacesecureError, with the command that
    installs it, if TensorFlow is missing.
    """
    if sys.modules.get("tensorflow") is not None:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not gpu:
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with native_messages_logged():
        return _fetch("tensorflow")


def lz4_frame() -> Any:
    """Return the lz4.frame module. Raises FacesecureError if it is missing."""
    return _fetch("lz4.frame")


def parquet() -> Any:
    """Return the pyarrow.parquet module. Raises FacesecureError if it is missing."""
    return _fetch("pyarrow.parquet")


def pyplot() -> Any:
    """Return the matplotlib.pyplot module, which draws into files only. Raises FacesecureError if it is missing."""
    _fetch("matplotlib", "charts").use("Agg")
    return _fetch("matplotlib.pyplot", "charts")


def require_charts() -> None:
    """Raise FacesecureError if matplotlib is missing; it is not imported."""
    if not found("matplotlib"):
        raise FacesecureError(
            "a chart needs matplotlib, which is not installed", f"install the extra: {install_extra('charts')}"
        )


def _fetch(module: str, extra: str = "training") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise FacesecureError(
            f"this command needs {module.split('.')[0]}, which is not installed ({error})",
            f"install the extra: {install_extra(extra)}",
        ) from error
