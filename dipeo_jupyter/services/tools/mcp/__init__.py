"""The tools of MCP servers that `.mcp.json` names.

`servers.py` is what the toolbox sees, `config.py` reads the file, `connection.py` is one open
server, `results.py` turns what servers say into our words. The SDK (the extra `mcp`) is imported
when the first server is opened, and never outside of this folder.
"""

from .results import ServerTool
from .servers import McpServers

__all__ = ["McpServers", "ServerTool"]
