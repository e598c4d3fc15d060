"""Tools for models: Python functions that people have given, and MCP servers.

`toolbox.py` is what nodes see of both.
"""

from .functions import Functions
from .toolbox import LocalToolbox

__all__ = ["Functions", "LocalToolbox"]
