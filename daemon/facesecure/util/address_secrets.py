"""Find the secrets in an address that the configuration holds: the password, tokens in the path, parameters.

An address that is misspelt, or that holds an unescaped password, is taken apart as far as possible: a secret too many
does no harm.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from facesecure.util.secret_patterns import is_secret_name

_SCHEME = re.compile(r"^[\s'\"]*([A-Za-z][\w+.-]*):/*")
# A value ends at the next parameter: an unescaped & or ; within a password begins none.
_PARAMETER = re.compile(r"([A-Za-z][A-Za-z0-9.-]*(?:_[A-Za-z0-9.-]+)*)=((?:(?![&;][A-Za-z0-9.-]+=)[^\n])*)")
_IN_PARAMETER = re.compile(r"[^:/?#]*(?::\d{1,5})?[/?#].*=[^/]*$")
"""What stands before an @ that belongs to a parameter's value, and ends no password."""
_USER_NAME = re.compile(r"(?:use?r|username|use)$|^u$", re.IGNORECASE)
_NEXT_PARAMETERS = (re.compile(r"[_/?,]\w*=|[/?&;]"), re.compile(r"_[A-Za-z0-9.-]+="), re.compile(r"[&;]"))
"""Where a value may end, too: cameras separate parameters in several ways."""
_WEB = {"http", "https", "rtsp", "rtsps", "rtmp", "mqtt", "mqtts", "mailto", "mailtos"}
_USERS = {"admin", "root", "user", "guest", "operator", "viewer"}
_TOKEN = 5
"""Characters of the shortest part of a path that is taken for a token."""
_PATH_WORDS = frozenset(
    """
    access api audio av axis back backyard bot cam camera cameras cgi ch chan channel channels cam door entrance feed
    flv front frontdoor garage garden gate h hd hevc hook hooks hls html http https id index ip isapi jpeg jpg json
    live livestream low high m main media mjpeg mjpg mp mpeg mpegts msg message messages notify onvif play porch
    preview primary profile realmonitor rtsp s sd sdp second secondary send sms snapshot std stream streaming streams
    sub substream test track trackid unicast v video videomain videos videosub web webhook webhooks x xml yard
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class AddressSecrets:
    """The secrets of an address: ``anywhere`` they are hidden in all text, ``in_path`` only as part of an address."""

    anywhere: tuple[str, ...] = ()
    in_path: tuple[str, ...] = ()


def secrets_of_address(address: str) -> AddressSecrets:
    """Return the secrets in ``address``, as they are written there, without those too ordinary to be told apart.

    Example::

        secrets_of_address("rtsp://admin:hunter2@cam/live").anywhere  # ("hunter2", ...)
    """
    found = _SCHEME.match(address)
    scheme, rest = (found[1].lower(), address[found.end() :]) if found else ("", address)
    anywhere = [*_userinfo(rest)]
    place, _, path = _after_userinfo(rest).replace("?", "/?", 1).partition("/")
    if scheme not in _WEB and "." not in place and _opaque(place):
        anywhere += [place, place.partition(":")[2]]
    whole = rest.partition("/")[2]  # the last @ may stand in the path or in a parameter
    anywhere += [secret for text in (path, whole) for secret in _parameters(text)]
    in_path = []
    for part, before in (*_parts(path), *(_parts(whole) if "@" in whole else ())):
        if ":" in part:
            anywhere.append(part.partition(":")[2])
        if before.lower() in _USERS or _opaque(part):
            anywhere.append(part)
        elif len(part) >= _TOKEN and not _is_known(part):
            in_path.append(part)
    return AddressSecrets(tuple(dict.fromkeys(anywhere)), tuple(dict.fromkeys(in_path)))


def _after_userinfo(rest: str) -> str:
    return rest.rpartition("@")[2]


def _userinfo(rest: str) -> Iterator[str]:
    """Yield the password up to each @, with the user as in a header, and the pieces into which a library may cut it."""
    for at in (index for index, character in enumerate(rest) if character == "@"):
        if _IN_PARAMETER.match(rest[:at]):
            continue
        user, colon, password = rest[:at].partition(":")
        secret = password if colon else user
        if not secret and _opaque(user):  # "TOKEN:@host"
            yield user
        if not secret:
            continue
        yield secret
        yield f":{secret}@" if colon else f"{secret}@"
        yield from (piece for piece in re.split(r"[/?#@:\s]", secret) if len(piece) > 3)
        for whole in {rest[:at], unquote(rest[:at])}:
            yield base64.b64encode(whole.encode(errors="surrogateescape")).decode()


def _parameters(path: str) -> Iterator[str]:
    for name, value in _PARAMETER.findall(path):
        yield from _parameters(value)
        if not _USER_NAME.search(name) and (is_secret_name(name) or _opaque(value)):
            yield from _ends(value)


def _ends(value: str) -> Iterator[str]:
    """Yield ``value`` as far as it may go, and the password of a "user:password" in it."""
    for one in (value, *(ends.split(value)[0] for ends in _NEXT_PARAMETERS)):
        yield one
        yield one.partition(":")[2]


def _parts(path: str) -> Iterator[tuple[str, str]]:
    """Yield each part of the path, without parameters, and the part before it."""
    before = ""
    for part in re.split(r"[/#]", path.partition("?")[0]):
        if part and "=" not in part.rstrip("="):  # a token in base64 may end in =
            yield part, before
        before = part


def _opaque(part: str) -> bool:
    """Return whether ``part`` looks like a token: it is long, and neither known nor one word in small letters."""
    shown = unquote(part)
    is_word = shown.isalpha() and shown[1:].islower()
    return len(shown) >= _TOKEN and not is_word and not _is_known(shown)


def _is_known(part: str) -> bool:
    """Return whether ``part`` consists of words that the paths of cameras are made of, and numbers below 100000."""
    words = re.findall(r"[A-Za-z]+", part)
    numbers = re.findall(r"\d+", part)
    plain = re.fullmatch(r"[\w.-]*", part) is not None
    return plain and all(word.lower() in _PATH_WORDS for word in words) and all(len(number) < 6 for number in numbers)
