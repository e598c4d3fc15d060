"""Shells of IPython, of a test's own."""

from __future__ import annotations

import atexit
import types
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@contextmanager
def new_shell(folder):
    """A shell without a history, and nothing left of it afterwards."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(
        config=config, ipython_dir=str(folder), user_module=types.ModuleType("cells")
    )
    try:
        yield shell
    finally:
        # IPython would keep it, with all that its cells made, to the end of the process, and then
        # look through the whole memory once for each.
        atexit.unregister(shell.atexit_operations)
        shell.history_manager.end_session()
        shell.user_ns.clear()
