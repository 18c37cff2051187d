"""What only the [training] extra brings, fetched when it is first needed and missed politely.

``facesecure-train evaluate`` works without it.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from facesecure.domain.errors import FacesecureError
from facesecure.vision.inference.interpreter import native_messages_logged


def tensorflow(*, gpu: bool = False) -> Any:
    """The tensorflow module, quiet; what the first to ask said of ``gpu`` holds for the process.

    Raises FacesecureError, with the command to mend it, where there is none.
    """
    if sys.modules.get("tensorflow") is not None:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not gpu:
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with native_messages_logged():
        return _fetch("tensorflow")


def lz4_frame() -> Any:
    """The lz4.frame module. Raises FacesecureError where there is none."""
    return _fetch("lz4.frame")


def parquet() -> Any:
    """The pyarrow.parquet module. Raises FacesecureError where there is none."""
    return _fetch("pyarrow.parquet")


def _fetch(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise FacesecureError(
            f"this command needs {module.split('.')[0]}, which is not installed ({error})",
            "install the extra: pip install 'facesecure[training]'",
        ) from error
