"""The cell that runs now, as its front end has asked for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell whose front end has somebody in front of it; `id` is that of what was asked."""

    id: str


def cell_here() -> Cell | None:
    """None outside of a kernel's cells, and where nobody is there who could use a card.

    Whoever runs a notebook without people (nbclient, nbval, papermill) says that it takes no input.
    """
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415 - who has no notebook does not load it

    kernel = getattr(get_ipython(), "kernel", None)
    parent: dict[str, Any] = kernel.get_parent() if kernel is not None else {}
    if not parent.get("content", {}).get("allow_stdin"):
        return None
    return Cell(parent["header"]["msg_id"])
