"""A library that whoever can write to the state directory plants there, as an accelerator's, is never loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.delegates import built
from support.faults.household import Home
from support.faults.table import attack

pytestmark = pytest.mark.slow

_EVIL = """
#include <fcntl.h>
__attribute__((constructor)) static void loaded(void) { open("%s", O_CREAT | O_WRONLY, 0600); }
"""


@attack(
    "planted accelerator",
    how="a library that notes that it was loaded, in the state directory and behind a link there; configured by name",
)
def test_a_library_in_the_state_directory_is_never_loaded(
    home: Home, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    mark, source = tmp_path / "loaded", tmp_path / "evil.c"
    source.write_text(_EVIL % mark)
    library = built(source, "evil")
    home.state.mkdir(exist_ok=True)
    (planted := home.state / "evil.so").write_bytes(library.read_bytes())
    planted.chmod(0o755)
    (home.state / "link.so").symlink_to(library)
    for path in (planted, home.state / "link.so"):
        home.configure(f'[inference]\ndelegate = "{path}"\n')
        with home.watched() as daemon:
            home.wait_for_alerts(1, 60)
            assert "leads into the state directory" in daemon.line_with("without its accelerator")
        assert home.run("config", "check").returncode != 0
        assert "leads into the state directory" in home.run("doctor").stdout
    assert not mark.exists()
    home.configure(f'[inference]\ndelegate = "{library}"\n')
    with home.watched():
        assert mark.exists(), "the library would have noted it"
    saw("not loaded by the daemon, the doctor or the check, which say why; the alerts are told")
