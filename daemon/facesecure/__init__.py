"""facesecure: a home-security daemon that recognises the people at your door and announces strangers."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__version__: str


def __getattr__(name: str) -> str:
    """Return ``__version__``, which is read on demand: the metadata is slower to import than the rest of the start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("facesecure")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0+unknown"


class _Errors(ModuleType):
    """``facesecure.errors``, which plugins written for facesecure 0.1 import: its names are in ``domain.errors``."""

    def __getattr__(self, name: str) -> Any:
        import warnings

        from facesecure.domain import errors

        if name.startswith("__") or not hasattr(errors, name):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        message = "facesecure.errors is deprecated: import from facesecure.domain.errors"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(errors, name)


sys.modules[f"{__name__}.errors"] = _Errors(f"{__name__}.errors")
