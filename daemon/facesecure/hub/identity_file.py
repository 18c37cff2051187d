"""Keep who this door is in the hub: encrypted in STATE_DIR/hub/identity.secret, with the authority of the manager."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubError, StoreError
from facesecure.hub.database import HubAddress
from facesecure.hub.identity import Authority, DoorKeys, Household, Identity
from facesecure.storage.secret_files import FOLDER, SecretFiles
from facesecure.util.files import make_private_folders, read_regular, write_durably

_NAME = "identity"
_CA = "ca.pem"


def read_identity(state_dir: Path) -> Identity:
    """Return who this door is. Raises HubError if it belongs to no hub, StoreError if it cannot be read."""
    found = find_identity(state_dir)
    if found is None:
        raise HubError(
            "this door belongs to no hub",
            "on the first door: facesecure hub init DATABASE_URL; on others: facesecure hub join CODE",
        )
    return found


def member_identity(state_dir: Path) -> Identity:
    """Return who this door is, with its certificate. Raises HubError if it has not finished joining, and as above."""
    identity = read_identity(state_dir)
    if not identity.certificate:
        raise HubError(
            "this door has not finished joining the hub", "facesecure hub join CODE, with the same code, or after leave"
        )
    return identity


def find_identity(state_dir: Path) -> Identity | None:
    """Return who this door is, None if it belongs to no hub. Raises StoreError if that cannot be read."""
    try:
        content = SecretFiles(state_dir).read(_NAME)
    except FileNotFoundError:
        return None
    try:
        return _decoded(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"the identity of this door in the hub cannot be understood: {type(error).__name__}",
            "put STATE_DIR/hub back from a backup, or leave and join again: facesecure hub leave",
        ) from error


class Membership:
    """Whether a door is still the one of ``identity``: ``hub leave`` may be typed while its daemon runs.

    Example::

        still = Membership(state_dir, identity)
        still.require()
    """

    def __init__(self, state_dir: Path, identity: Identity) -> None:
        self._state_dir, self._door = state_dir, identity.door
        self._seen: tuple[int, int] | None = None

    def require(self) -> None:
        """Raise HubError once this door has left its hub, or joined as another; StoreError if that cannot be read."""
        now = self._written()
        if now is not None and now == self._seen:
            return
        found = find_identity(self._state_dir)
        if found is None or found.door != self._door:
            raise HubError("this door has left the hub with which facesecure was started", "restart facesecure")
        self._seen = now

    def _written(self) -> tuple[int, int] | None:
        try:
            found = SecretFiles(self._state_dir).path(_NAME).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def write_identity(state_dir: Path, identity: Identity) -> None:
    """Keep ``identity``. Raises OSError, or StoreError if there is no usable key."""
    SecretFiles(state_dir).write(_NAME, json.dumps(_encoded(identity)).encode())


def remove_identity(state_dir: Path) -> None:
    """Forget who this door is in the hub, and all that belongs to that. Raises OSError."""
    folder = state_dir / FOLDER
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.is_file():
            path.unlink()


def address_of(identity: Identity, config: HubConfig, state_dir: Path) -> HubAddress:
    """Return the address by which this door signs in. ``config`` is [hub], whose values come before the invitation's.

    Writes the invitation's authority to a file, as libpq needs it. Raises OSError.
    """
    root = config.ca or _ca_file(identity, state_dir)
    return HubAddress(
        url=with_user(config.database or identity.url, identity.role),
        password=identity.password,
        root=root,
        certificate=config.certificate,
        key=config.key,
    )


def with_user(url: str, user: str) -> str:
    """Return ``url`` with ``user`` as the one who signs in, and no password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{place}"))


def without_user(url: str) -> str:
    """Return ``url`` without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _ca_file(identity: Identity, state_dir: Path) -> Path | None:
    if not identity.ca:
        return None
    path, wanted = state_dir / FOLDER / _CA, identity.ca.encode()
    try:
        if read_regular(path) == wanted:
            return path
    except FileNotFoundError:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folders(state_dir, path.parent)
    write_durably(path, wanted)
    return path


def _encoded(identity: Identity) -> dict[str, Any]:
    box, sign = identity.keys.secrets
    return {
        "door": identity.door,
        "url": identity.url,
        "role": identity.role,
        "password": identity.password,
        "box": box.hex(),
        "sign": sign.hex(),
        "authority_key": identity.authority_key.hex(),
        "certificate": identity.certificate.hex(),
        "ca": identity.ca,
        "authority": identity.authority.secret.hex() if identity.authority else None,
        "households": {one.name: one.version for one in identity.households},
    }


def _decoded(found: dict[str, Any]) -> Identity:
    authority = found["authority"]
    return Identity(
        door=str(found["door"]),
        url=str(found["url"]),
        role=str(found["role"]),
        password=str(found["password"]),
        keys=DoorKeys(bytes.fromhex(found["box"]), bytes.fromhex(found["sign"])),
        authority_key=bytes.fromhex(found["authority_key"]),
        certificate=bytes.fromhex(found["certificate"]),
        ca=str(found["ca"]),
        authority=Authority(bytes.fromhex(authority)) if authority else None,
        households=tuple(Household(str(name), int(version)) for name, version in found["households"].items()),
    )
