"""The commands that install what is missing, into the environment that runs now: the service's or a working copy's."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys


def pip_install(*packages: str) -> str:
    """Return the command that installs ``packages`` for the Python that runs now; with sudo where it is another's.

    A bare ``pip install`` would install them where the service does not look. Example::

        pip_install("gtts")  # sudo /opt/facesecure/bin/python -m pip install gtts
    """
    sudo = "" if os.access(sys.prefix, os.W_OK) else "sudo "
    return f"{sudo}{shlex.quote(sys.executable)} -m pip install {' '.join(map(shlex.quote, packages))}"


def install_extra(extra: str) -> str:
    """Return the command that installs an optional part of facesecure, such as "charts"."""
    return pip_install(f"facesecure[{extra}]")


def found(module: str) -> bool:
    """Return whether ``module`` is installed, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is in sys.modules without a specification
        return False
