"""Agent-workflow diagrams that live in Jupyter.

    %load_ext dipeo_jupyter

makes `%%dipeo` cells; `run`, `run_sync` and `start` do the same from Python. Importing this package
is cheap: what is heavy is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import when
    from .diagram.files import load
    from .diagram.model import Diagram
    from .engine.schemas import schema_of
    from .errors import (
        CommandError,
        DiagramError,
        DipeoError,
        ExecutionFailedError,
        NoAnswerError,
        UntrustedError,
    )
    from .notebook.api import (
        attach,
        check,
        convert,
        diff,
        get,
        plan,
        prune,
        resume,
        run,
        run_sync,
        runs,
        start,
    )
    from .notebook.listing import Plan
    from .notebook.run import Run
    from .services.tools import tool

__version__ = "0.1.0"
__all__ = [
    "CommandError",
    "Diagram",
    "DiagramError",
    "DipeoError",
    "ExecutionFailedError",
    "NoAnswerError",
    "Plan",
    "Run",
    "UntrustedError",
    "attach",
    "check",
    "convert",
    "diff",
    "get",
    "load",
    "plan",
    "prune",
    "resume",
    "run",
    "run_sync",
    "runs",
    "schema_of",
    "start",
    "tool",
    "when",
]

_HOMES = {
    "CommandError": "errors",
    "Diagram": "diagram.model",
    "DiagramError": "errors",
    "DipeoError": "errors",
    "ExecutionFailedError": "errors",
    "NoAnswerError": "errors",
    "Plan": "notebook.listing",
    "Run": "notebook.run",
    "UntrustedError": "errors",
    "attach": "notebook.api",
    "check": "notebook.api",
    "convert": "notebook.api",
    "diff": "notebook.api",
    "get": "notebook.api",
    "load": "diagram.files",
    "plan": "notebook.api",
    "prune": "notebook.api",
    "resume": "notebook.api",
    "run": "notebook.api",
    "run_sync": "notebook.api",
    "runs": "notebook.api",
    "schema_of": "engine.schemas",
    "start": "notebook.api",
    "tool": "services.tools",
    "when": "client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext dipeo_jupyter`."""
    from .notebook.magics import register  # noqa: PLC0415 - only who asks for magics pays for them

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext dipeo_jupyter`."""
    from .notebook.magics import unregister  # noqa: PLC0415 - as above

    unregister(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.extension import DipeoApp  # noqa: PLC0415 - only a Jupyter server needs it

    return [{"module": "dipeo_jupyter", "app": DipeoApp}]
