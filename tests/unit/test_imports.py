"""What each side may never load, proved in fresh processes. A daemon that loads TensorFlow does not fit a Pi."""

import subprocess
import sys
from pathlib import Path

import pytest

WALK = """
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if ".migrations" in module.name:  # run by Alembic, never imported by us
        continue
    importlib.import_module(module.name)
print("\\n".join(name for name in {forbidden!r} if name in sys.modules))
"""


def loaded(package: str, forbidden: list[str]) -> list[str]:
    code = WALK.format(package=package, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("package", ["facesecure", "facesecure_plugins"])
def test_no_module_of_the_daemon_loads_tensorflow_or_its_own_training(package):
    assert loaded(package, ["tensorflow", "keras", "facesecure_training", "matplotlib"]) == []


@pytest.mark.tensorflow
def test_no_module_of_the_training_package_loads_what_only_a_pi_has():
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    assert loaded("facesecure_training", ["picamera2", "systemd", "pychromecast"]) == []


def test_the_systemd_folder_never_hides_the_systemd_package():
    assert not (Path(__file__).resolve().parents[2] / "systemd" / "__init__.py").exists()
