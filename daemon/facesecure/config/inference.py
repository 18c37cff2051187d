"""The section [inference]: what runs the models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from facesecure.config.base import Section

NO_DELEGATE = "none"


def _none_or_absolute(delegate: str) -> str:
    if delegate != NO_DELEGATE and not delegate.startswith("/"):
        raise ValueError('is neither "none" nor the full path of a library, which begins with /')
    return delegate


class InferenceConfig(Section):
    """What runs the models: the processor, or an accelerator."""

    delegate: Annotated[str, AfterValidator(_none_or_absolute)] = Field(
        NO_DELEGATE,
        description="none: the processor | the full path of an accelerator's TFLite delegate, a library that becomes "
        "part of the daemon; if it does not work, the processor takes over and facesecure doctor says why",
        examples=["/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"],
    )
    threads: int = Field(1, ge=1, le=16, description="threads of the processor that run a model")

    @property
    def library(self) -> Path | None:
        """The path of the accelerator's library, None if there is none."""
        return None if self.delegate == NO_DELEGATE else Path(self.delegate)
