"""Tools for models: Python functions that people have given, and MCP servers.

`toolbox.py` is what nodes see of both.
"""

from .functions import Functions
from .given import FUNCTIONS, tool
from .toolbox import LocalToolbox

__all__ = ["FUNCTIONS", "Functions", "LocalToolbox", "tool"]
