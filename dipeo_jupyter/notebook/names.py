"""The names that people assign in cells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Namespace: TypeAlias = Callable[[], dict[str, Any] | None]


def notebook_names() -> dict[str, Any] | None:
    """Those of the IPython in this process; None when there is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415 - who has no notebook does not load it

    shell = get_ipython()
    return None if shell is None else shell.user_ns
