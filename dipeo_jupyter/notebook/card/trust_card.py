"""The question of trust as an anywidget, with JavaScript of its own that is small."""

from __future__ import annotations

from typing import Any, ClassVar

import anywidget
import traitlets

from ...built import TRUST_SCRIPT
from ...client.trusting import TrustQuestion


class TrustCard(anywidget.AnyWidget):
    """What both sides know; the names are those of the JavaScript."""

    _esm: ClassVar[Any] = TRUST_SCRIPT

    name = traitlets.Unicode(allow_none=True).tag(sync=True)
    foreign = traitlets.Bool().tag(sync=True)
    powers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    control = traitlets.Unicode().tag(sync=True)

    def __init__(self, question: TrustQuestion, control: str) -> None:
        super().__init__(
            name=question.name,
            foreign=question.foreign,
            powers=[each.model_dump(mode="json") for each in question.powers],
            control=control,
        )
