"""Show that the package's simplejpeg fits its NumPy, where that of the system does not; run by picamera.sh.

picamera2 imports simplejpeg. One that was built for NumPy 1 cannot be imported beside NumPy 2.
"""

from __future__ import annotations

import subprocess
import sys

SYSTEM = "/usr/lib/python3/dist-packages"
ENCODE = """
import numpy, simplejpeg

image = numpy.full((8, 8, 3), 9, "u1")
assert simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(image)).shape == image.shape
print("numpy", numpy.__version__, "and simplejpeg from", simplejpeg.__file__)
"""
MIXED = f"import numpy, sys; sys.path.insert(0, {SYSTEM!r}); import simplejpeg"


def run(python: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process of its own."""
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)


alone = run("/usr/bin/python3", ENCODE)
assert alone.stdout.startswith("numpy 1."), alone.stderr
print("the system's Python:", alone.stdout.strip())

mixed = run(sys.executable, MIXED)
assert "numpy.dtype size changed" in mixed.stderr, mixed.stderr or "the system's simplejpeg fits: this shows nothing"
print("the system's simplejpeg beside the package's NumPy:", mixed.stderr.strip().splitlines()[-1])

ours = run(sys.executable, ENCODE)
assert ours.stdout.startswith("numpy 2."), ours.stderr
assert "/usr/lib/facesecure/" in ours.stdout, ours.stdout
print("the package's Python:", ours.stdout.strip())
