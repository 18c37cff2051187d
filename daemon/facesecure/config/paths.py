"""The locations of the configuration file and of the state directory, in order of precedence.

Configuration: ``--config``, then ``FACESECURE_CONFIG``, then the machine's file, then the user's.
State: ``--state-dir``, then ``FACESECURE_STATE_DIR``, then ``state_dir`` in the configuration, then the directory
that systemd provides to a service (``STATE_DIRECTORY``), then the user's own.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.domain.errors import ConfigError
from facesecure.util.paths import expanded

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig

CONFIG_VARIABLE = "FACESECURE_CONFIG"
STATE_VARIABLE = "FACESECURE_STATE_DIR"
MACHINE_CONFIG = Path("/etc/facesecure/facesecure.toml")


def user_config() -> Path:
    """Return ``~/.config/facesecure/facesecure.toml``, or the same under XDG_CONFIG_HOME."""
    import platformdirs

    return platformdirs.user_config_path("facesecure", appauthor=False) / "facesecure.toml"


def find_config(named: Path | None = None) -> Path | None:
    """Return the configuration file to read; None if none was named and neither default exists.

    Raises ConfigError if a file named by ``named`` or by FACESECURE_CONFIG does not exist, or if this user may not look
    into the folder of the one to be read: without it, the defaults would apply in silence.
    """
    if named is not None:
        return _existing(expanded(named), "--config")
    from_environment = os.environ.get(CONFIG_VARIABLE)
    if from_environment:
        return _existing(expanded(from_environment), CONFIG_VARIABLE)
    return next((path for path in (MACHINE_CONFIG, user_config()) if _is_file(path)), None)


def _existing(path: Path, named_by: str) -> Path:
    if _is_file(path):
        return path
    what = "is a directory, not a file" if path.is_dir() else "does not exist"
    file = path / "facesecure.toml" if path.is_dir() else path
    raise ConfigError(
        f"the configuration file {path} {what} (named by {named_by})",
        hint=f"Make one with: facesecure config example > {shlex.quote(str(file))}",
    )


def _is_file(path: Path) -> bool:
    """Return ``path.is_file()``, which says False of a forbidden folder from Python 3.14 on. Raises ConfigError."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError as error:
        raise ConfigError(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except OSError:
        return False


def state_directory(config: FacesecureConfig, named: Path | None = None) -> Path:
    """Return the directory of the database, snapshots and pulled models. It is not created."""
    from_environment = os.environ.get(STATE_VARIABLE)
    if named is not None:
        return expanded(named).absolute()
    if from_environment:
        return expanded(from_environment).absolute()
    if config.state_dir is not None:
        return expanded(config.state_dir).absolute()
    return _default_state_directory()


def _default_state_directory() -> Path:
    from_systemd = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if from_systemd:
        return Path(from_systemd)
    import platformdirs

    return platformdirs.user_state_path("facesecure", appauthor=False)
