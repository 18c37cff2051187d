"""What runs the graphs: threads of the processor, and an accelerator's library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Backend:
    """Run graphs on ``threads`` threads, and what ``delegate`` takes on the accelerator behind that library.

    ``delegate`` is loaded into this process: give one that ``delegates.try_delegate`` has tried. Example::

        load_model("mobilefacenet").interpreter(Backend(threads=2))
    """

    threads: int = 1
    delegate: Path | None = None


PROCESSOR = Backend()
"""One thread of the processor, where the runtimes delegate what they can to XNNPACK by themselves."""
