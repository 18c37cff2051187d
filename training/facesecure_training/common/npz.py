"""What numpy's archives (.npz) raise when they are damaged: they are ZIP files, and each layer has its own errors."""

from __future__ import annotations

import zipfile
import zlib

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,  # of a place that is not in the file
    ValueError,  # also for random bytes, which numpy takes for a pickle
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # a bit that says the archive is encrypted
)
"""The errors of reading a damaged archive that could be opened."""
