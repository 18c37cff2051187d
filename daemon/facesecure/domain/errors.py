"""Everything facesecure raises on purpose.

    FacesecureError                  something a person can mend; the message says how
    ├── UsageError                   wrong words on the command line (exit code 2)
    ├── ConfigError                  the configuration file is wrong; carries every problem found
    ├── SourceError                  a camera, stream, file or folder cannot be read
    │   └── SourceLost               it could be read and then was lost; a live source may come back
    ├── ImageError                   a picture cannot be read or makes no sense
    ├── ModelError                   a model is missing, damaged or does not fit its card
    │   └── DownloadError            ... or could not be fetched
    ├── StoreError                   the database or the state directory cannot be used
    │   └── DiskFullError            ... for lack of room
    ├── EnrolmentError               a person cannot be enrolled from these pictures
    ├── PluginError                  an alert plugin could not be loaded, configured or used
    └── ControlError                 the running daemon cannot be asked, or refuses
        └── NoDaemonError            ... because none is running

The command line prints the message after ``error:`` and exits with ``exit_code``; a traceback is always a bug.
"""

import difflib
from collections.abc import Callable, Iterable


class FacesecureError(Exception):
    """Base of all expected failures. ``hint`` says what to do about it, in one sentence."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(FacesecureError):
    """The command line's words do not fit."""

    exit_code = 2


class ConfigError(FacesecureError):
    """The configuration is wrong. ``problems`` holds one line for each, in the file's order."""

    exit_code = 2

    def __init__(self, message: str, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__("\n".join((message, *problems)), hint)
        self.problems = problems


class SourceError(FacesecureError):
    """A source cannot be opened or read."""


class SourceLost(SourceError):
    """A source that worked has gone. Live sources raise it inside and reconnect."""


class ImageError(FacesecureError):
    """A picture cannot be decoded or is not one."""


class ModelError(FacesecureError):
    """A model file and its card are missing, damaged or do not fit each other."""


class DownloadError(ModelError):
    """A model could not be fetched or was not what the registry promised."""


class StoreError(FacesecureError):
    """The database or the state directory cannot be used."""


class DiskFullError(StoreError):
    """There is no room to write what should be written."""


class EnrolmentError(FacesecureError):
    """A person cannot be enrolled from the pictures given."""


class PluginError(FacesecureError):
    """An alert plugin cannot be loaded, configured or used."""


class ControlError(FacesecureError):
    """The running daemon cannot be asked, or does not do what it was asked."""


class NoDaemonError(ControlError):
    """No daemon is running that could be asked."""


def did_you_mean(
    word: str, choices: Iterable[str], *, prefix: str = "", shown: Callable[[str], str] = repr, cutoff: float = 0.6
) -> str:
    """Return "did you mean 'width'?" with the choice closest to ``word``, or an empty text if none is close.

    ``prefix`` goes before a suggestion; ``shown`` formats the choice; ``cutoff`` is difflib's ratio, 0 to 1.

    Example::

        f"there is no setting {key}" + did_you_mean(key, settings, prefix="; ")
    """
    near = difflib.get_close_matches(word, list(choices), 1, cutoff)
    return f"{prefix}did you mean {shown(near[0])}?" if near else ""
