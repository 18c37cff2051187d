import subprocess
import sys
import sysconfig

import pytest

GROWTH = """
import numpy as np
from facesecure.app.process_memory import map_large_buffers
if {pinned}:
    assert map_large_buffers()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

freed = np.ones(20_000_000, np.uint8)
del freed  # from here on glibc would keep buffers of this size in its heap
before = resident()
kept = []
pictures = []
for _ in range(20):
    pictures.append(np.ones(4_000_000, np.uint8))
    kept.append(np.ones(50_000, np.uint8))
del pictures
print((resident() - before) // 1_000_000)
"""


def left_over(*, pinned: bool) -> int:
    """Megabytes still held after pictures were freed from between small objects that stay."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH.format(pinned=pinned)], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif("gnu" not in str(sysconfig.get_config_var("MULTIARCH")), reason="about glibc's allocator")
def test_pictures_that_are_freed_go_back_to_the_system():
    assert left_over(pinned=True) <= 5
    assert left_over(pinned=False) >= 20  # or glibc has mended its ways and memory.py can go


CIRCLE = """
import weakref
from facesecure.app.process_memory import release_memory, share_heaps
assert share_heaps()

class Circle:
    def __init__(self):
        self.itself = self

gone = weakref.ref(Circle())
assert gone() is not None
release_memory()
assert gone() is None
"""


@pytest.mark.skipif("gnu" not in str(sysconfig.get_config_var("MULTIARCH")), reason="about glibc's allocator")
def test_what_only_holds_itself_is_given_back():
    subprocess.run([sys.executable, "-c", CIRCLE], check=True, timeout=60)
