"""What a field of a settings class says about itself: help, bounds and the text shown for its default.

It belongs to no command line framework. ``cli.command_builder`` makes an option of it.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_SEED = 2**31 - 1
"""Every generator of random numbers in use takes a seed from 0 to this."""


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """Metadata of one setting, for ``typing.Annotated``.

    Example::

        @dataclass(frozen=True)
        class Settings:
            epochs: Annotated[int, OptionInfo("Passes over the training data.", min=1)] = 30

    ``default_text`` replaces the default value in help texts, where the default is computed.
    """

    help: str
    min: float | None = None
    max: float | None = None
    default_text: str | None = None
