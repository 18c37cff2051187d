"""Who does bulk work, as the command line says it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.services.bulk.pool import Pool, ThisProcess
from facesecure.util.installing import found, install_extra

CERTIFICATES = ("ca.pem", "client.pem", "client.key")
"""The files of ``--cluster-tls``: whom to believe, and this side's certificate and key."""
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:[^\s/@:\[\]]+|\[[^\s/@\[\]]+\]):\d+/?")


@dataclass(frozen=True, slots=True)
class Workforce:
    """The number of ``workers`` on this machine, or the address of a Dask ``cluster`` and the folder with its ``tls``.

    Raises UsageError if they do not fit together. Example::

        with Workforce(cluster="tls://10.0.0.5:8786", tls=Path("certificates")).pool() as pool:
            ...
    """

    workers: int = 1
    cluster: str | None = None
    tls: Path | None = None

    def __post_init__(self) -> None:
        if self.cluster is None:
            if self.tls is not None:
                raise UsageError("--cluster-tls is for a cluster", "name it: --cluster tls://ADDRESS:8786")
            return
        if self.workers > 1:
            raise UsageError("--workers starts processes here, and --cluster has its own", "give one of the two")
        object.__setattr__(self, "cluster", _checked(self.cluster))
        _check_certificates(self.cluster, self.tls)

    @classmethod
    def of_cores(cls) -> Workforce:
        """Return a worker for each core, or this process alone where Dask is not installed."""
        return cls(os.cpu_count() or 1 if found("distributed") else 1)

    def pool(self, most: int | None = None) -> Pool:
        """Return the pool; ``most`` workers have something to do. Raises FacesecureError if Dask is missing.

        Where several were asked for, there are two at least, also for one item: it may kill its process, and not this
        one, and the second is there while the first is started again.
        """
        if self.cluster is None and self.workers == 1:
            return ThisProcess()
        if not found("distributed"):
            raise FacesecureError("several workers need Dask", f"install the extra: {install_extra('cluster')}")
        from facesecure.services.bulk import dask_pool

        if self.cluster is None:
            return dask_pool.DaskPool.of_processes(self.workers if most is None else max(2, min(self.workers, most)))
        return dask_pool.DaskPool.at(self.cluster, self.tls)


def _checked(address: str) -> str:
    """Return ``address`` with its scheme in small letters. Raises UsageError: Dask would wait for it, or fail oddly."""
    parts = _parts(address)
    if parts is None or not _ADDRESS.fullmatch(f"{parts.scheme}://{parts.netloc}{parts.path}"):
        raise UsageError(
            f"--cluster {address!r} is no address of a cluster",
            "write scheme, host and port, without user or path: tls://10.0.0.5:8786, or tcp://localhost:8786",
        )
    return f"{parts.scheme}://{parts.netloc}"


def _parts(address: str) -> SplitResult | None:
    """Return the parts of an address that has a host and a port from 1 to 65535, and nothing behind its path."""
    try:
        parts = urlsplit(address)
        complete = bool(parts.hostname and parts.port and not address.endswith(("?", "#")))
    except ValueError:  # a bracket is missing, or the port is no number up to 65535
        return None
    return parts if complete and not parts.query and not parts.fragment else None


def _check_certificates(address: str, tls: Path | None) -> None:
    parts = urlsplit(address)
    if parts.scheme == "tls" and tls is None:
        raise UsageError(
            "--cluster tls:// needs --cluster-tls", f"name the folder that holds {', '.join(CERTIFICATES)}"
        )
    if parts.scheme == "tcp" and tls is not None:
        raise UsageError("--cluster tcp:// is not encrypted", "use the tls:// address of the scheduler")
    missing = [name for name in CERTIFICATES if tls is not None and not (tls / name).is_file()]
    if missing:
        raise UsageError(f"{tls} lacks {', '.join(missing)}", "docs/scale.md says how to make them")


ALONE = Workforce()
"""This process alone."""
