"""Choose the portrait of a drill: a person who is a stranger to this household."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER, Portrait
from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.recognition.identify import Identifier

PORTRAITS = (EILEEN_COLLINS, GRACE_HOPPER)


def stranger_here(identifier: Identifier, portraits: Sequence[Portrait] = PORTRAITS) -> Portrait:
    """Return the first of ``portraits`` that ``identifier`` takes for a stranger, else the first that it cannot name.

    ``identifier`` is one for single images. Raises UsageError if every portrait is recognised as an enrolled person.
    """
    verdicts = {portrait.name: _verdict(identifier, portrait) for portrait in portraits}
    for accepted in (VerdictKind.STRANGER, VerdictKind.UNIDENTIFIED):
        for portrait in portraits:
            if verdicts[portrait.name] is accepted:
                return portrait
    raise UsageError(
        "the people of the drill's portraits are enrolled, so none of them is a stranger",
        "remove one: facesecure people list",
    )


def _verdict(identifier: Identifier, portrait: Portrait) -> VerdictKind:
    """Return the verdict on ``portrait``, whose face is known: a detector would plan for one more size of image."""
    return identifier.report(portrait.image(), portrait.face()).verdict.kind
