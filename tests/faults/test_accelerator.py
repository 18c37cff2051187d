"""An accelerator that crashes when it is asked, or is unplugged while the daemon watches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.delegates import fake_delegate
from support.faults.household import Home
from support.faults.table import fault

pytestmark = pytest.mark.slow


def use(home: Home, library: Path) -> None:
    home.configure(f'[inference]\ndelegate = "{library}"\n')


@fault(
    "accelerator crashes",
    how="a delegate for tests that aborts the process that gives it a model; it is compiled here, no real accelerator",
)
def test_an_accelerator_that_crashes(home: Home, saw: Callable[[str], None]) -> None:
    library = fake_delegate("CRASHES")
    use(home, library)
    with home.watched() as daemon:
        home.wait_for_alerts(2, 60)
        said = daemon.line_with("without its accelerator")
    doctor = home.run("doctor").stdout
    assert "crashes (SIGABRT) with pnet" in said
    assert "not used, the processor runs all models" in doctor
    said = said.replace(str(library), library.name)
    saw(f"2 of 2 alerts told, on the processor; the log: “{said[said.index('without') :]}”; the doctor says it too")


@fault(
    "accelerator unplugged",
    how="a delegate for tests that runs some models, and fails for good while the daemon watches; no real accelerator",
)
def test_an_accelerator_that_is_unplugged(home: Home, saw: Callable[[str], None]) -> None:
    library = fake_delegate("BREAKS_LATER -DLASTS=25")
    use(home, library)
    with home.watched() as daemon:
        daemon.wait_for(f"the accelerator {library} runs")
        home.wait_for_alerts(3, 60)
        said = daemon.line_with("runs on the processor instead")
    assert "was unplugged" in said
    said = said.replace(str(library), library.name)
    saw(f"3 of 3 alerts told; the log, once a graph: “{said[said.index(library.name) :]}”")
