"""The kernel's control channel, on which cards are heard even while a cell keeps the kernel busy.

What people do on a widget comes by the shell channel. Whether it is heard before the cell has ended
depends on the release of ipykernel, on a setting of JupyterLab, and on whether the cell awaits or
blocks. The control channel has a thread of its own in all of them. (To have that deliver the
messages of widgets themselves would not do: IPython calls its hooks for cells around those.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from .obeying import Take

KIND = "dipeo_card"
"""The type of the messages; the page sends them under this name, too."""


class Ears:
    """Hands on what is said on cards, as one of the kernel's handlers, on that thread."""

    def __init__(self) -> None:
        self._takes: dict[str, Take] = {}

    def open(self, take: Take) -> str:
        """Hear a card from now on; the name by which it is spoken for."""
        name = uuid4().hex
        self._takes[name] = take
        return name

    def shut(self, name: str) -> None:
        """Hear this one no more."""
        self._takes.pop(name, None)

    def __call__(self, _stream: object, _sender: object, message: Mapping[str, Any]) -> None:
        content = message["content"]
        take = self._takes.get(content.get("card"))
        if take is not None:
            take(content.get("said"))


def ears_here() -> Ears | None:
    """Those of this kernel; None where it is not one of ipykernel's."""
    from IPython import get_ipython  # noqa: PLC0415 - who shows no card does not load it

    kernel = getattr(get_ipython(), "kernel", None)
    handlers = getattr(kernel, "control_handlers", None)
    if handlers is None or getattr(kernel, "control_thread", None) is None:
        return None
    ears: Ears = handlers.setdefault(KIND, Ears())
    return ears
