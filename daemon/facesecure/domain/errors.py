"""The exceptions that facesecure raises deliberately.

    FacesecureError                  a problem a person can fix; the message says how
    ├── UsageError                   wrong arguments on the command line (exit code 2)
    ├── ConfigError                  the configuration file is wrong; carries every problem found
    ├── SourceError                  a camera, stream, file or folder cannot be read
    │   └── SourceLost               ... or was lost while being read; a live source may come back
    ├── ImageError                   an image cannot be read or is invalid
    ├── ModelError                   a model is missing, damaged or does not fit its card
    │   └── DownloadError            ... or could not be fetched
    ├── StoreError                   the database or the state directory cannot be used
    │   ├── DiskFullError            ... for lack of disk space
    │   └── BusyError                ... because something else is writing to it
    ├── EnrolmentError               a person cannot be enrolled from these images
    ├── PluginError                  an alert plugin could not be loaded, configured or used
    ├── HubError                     the hub cannot be used, or has something wrong
    │   ├── HubUnreachableError      ... because there is no connection, or it is too slow
    │   ├── HubFullError             ... because its disk is full
    │   ├── HubRefusedError          ... because this door may not do that
    │   └── HubConflictError         ... because another door was first
    └── ControlError                 the running daemon cannot be reached, or refuses
        └── NoDaemonError            ... because none is running

The command line prints the message after ``error:`` and exits with ``exit_code``; a traceback is always a bug.
"""

import difflib
from collections.abc import Callable, Iterable

from facesecure.util.paths import readable
from facesecure.util.plain_text import escaped
from facesecure.util.redaction import redact


def _plain(text: str) -> str:
    return escaped(readable(redact(text))).replace("\n", "\\n")


class FacesecureError(Exception):
    """Base of all expected failures. ``hint`` is one sentence that says what to do.

    Neither holds a secret, whatever it was made of: both are redacted. Both are plain text on one line, whatever name
    or answer from outside they quote.

    Example::

        raise FacesecureError("the camera cannot be opened", hint="check that no other program uses it")
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = _plain(message)
        self.hint = _plain(hint) if hint else hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(FacesecureError):
    """The command-line arguments do not fit together."""

    exit_code = 2


class ConfigError(FacesecureError):
    """The configuration is invalid. ``problems`` holds one line for each problem, in the order of the file."""

    exit_code = 2

    def __init__(self, message: str, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.problems = tuple(map(_plain, problems))
        self.message = "\n".join((self.message, *self.problems))
        self.args = (self.message,)


class SourceError(FacesecureError):
    """A source cannot be opened or read."""


class SourceLost(SourceError):
    """A source was lost while being read. Live sources handle it themselves and reconnect."""


class ImageError(FacesecureError):
    """An image cannot be decoded, or the data is not an image."""


class ModelError(FacesecureError):
    """A model file or its card is missing or damaged, or the two do not match."""


class DownloadError(ModelError):
    """A model cannot be downloaded, or is not what the registry describes."""


class StoreError(FacesecureError):
    """The database or the state directory cannot be used."""


class DiskFullError(StoreError):
    """The disk has no space left for a write."""


class BusyError(StoreError):
    """Another process, or another part of facesecure, is writing to the database."""


class EnrolmentError(FacesecureError):
    """A person cannot be enrolled from the images given."""


class PluginError(FacesecureError):
    """An alert plugin cannot be loaded, configured or used."""


class HubError(FacesecureError):
    """The hub cannot be used, or has something wrong. A door goes on without it."""


class HubUnreachableError(HubError):
    """There is no connection to the hub, it was lost, or the hub does not answer in time: try again later."""


class HubFullError(HubError):
    """The hub's disk is full: nothing can be written until somebody frees space."""


class HubRefusedError(HubError):
    """The hub does not let this door in, or not do that."""


class HubConflictError(HubError):
    """Another door has written the same before."""


class ControlError(FacesecureError):
    """The running daemon cannot be reached, or refuses a request."""


class NoDaemonError(ControlError):
    """No daemon is running."""


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
