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


LIBRARIES = """
import cv2
import numpy as np
from facesecure.app.process_memory import unmap_what_only_starting_needed

def mapped():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("RssFile")).split()[1]) * 1024

picture = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
def work():
    small = cv2.GaussianBlur(cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA), (5, 5), 0)
    return small, np.linalg.inv(small[:64, :64, 0] + np.eye(64)), cv2.imencode(".jpg", small)[1]

before, had = work(), mapped()
unmapped = unmap_what_only_starting_needed()
assert unmapped > 10_000_000, unmapped
after, has = work(), mapped()
assert had - has > 5_000_000, (had, has)
assert all(np.array_equal(one, other) for one, other in zip(before, after))
assert unmap_what_only_starting_needed() < unmapped
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about Linux")
def test_pages_of_libraries_that_only_starting_needed_are_unmapped_and_the_rest_works_as_before() -> None:
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, timeout=60)
