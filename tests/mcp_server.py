"""An MCP server for tests, on stdin and stdout or (with the argument `web`) on loopback.

What tests want to know of its inside, it writes into a FIFO that they name.
"""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import Image, MCPServer
from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
READS = ToolAnnotations(read_only_hint=True)


def build() -> MCPServer:  # noqa: C901 - a list of tools
    server = MCPServer("tests", version="1.2")
    meeting = asyncio.Barrier(2)

    @server.tool(annotations=READS, structured_output=False)
    def add(a: int, b: int) -> str:
        """Adds two numbers."""
        return str(a + b)

    @server.tool(annotations=ToolAnnotations(idempotent_hint=True))
    def put(text: str) -> str:
        return text

    @server.tool(structured_output=False)
    def note(text: str) -> str:
        """Writes it down."""
        return f"noted {text}"

    @server.tool(name="files.read", structured_output=False)
    def odd() -> str:
        return "odd"

    @server.tool(structured_output=False)
    def fail() -> str:
        raise ValueError("it is broken")

    @server.tool(structured_output=False)
    def picture() -> list[str | Image]:
        return ["a dot", Image(data=PNG, format="png")]

    @server.tool()
    def mixed() -> CallToolResult:
        link = ResourceLink(name="more", uri="file:///more.txt")
        text = TextResourceContents(uri="file:///a.txt", text="inside")
        blob = BlobResourceContents(uri="file:///a.pdf", mime_type="application/pdf", blob="JVBE")
        inside = (EmbeddedResource(resource=each) for each in (text, blob))
        return CallToolResult(content=[TextContent(text="first"), link, *inside])

    @server.tool()
    def structure() -> CallToolResult:
        return CallToolResult(content=[], structured_content={"n": 1})

    @server.tool(structured_output=False)
    def environment(name: str) -> str:
        return os.environ.get(name, "not there")

    @server.tool(structured_output=False)
    def place() -> str:
        return f"{os.getpid()} {Path.cwd()}"

    @server.tool(annotations=READS, structured_output=False)
    async def meet() -> str:
        await meeting.wait()
        return "met"

    @server.tool(structured_output=False)
    def die(word: str) -> str:
        print(word, file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        return "never"

    @server.tool(structured_output=False)
    async def wait(fifo: str) -> str:
        with Path(fifo).open("w") as told:  # noqa: ASYNC230 - the test reads
            print("waits", file=told, flush=True)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("cancelled", file=told, flush=True)
                raise
        return "never"

    return server


class HttpServer:
    """The same in a thread, over HTTP; who has not this key is not let in.

    An `older` one has sessions, which it forgets when it is started anew.
    """

    key = "web-canary-0123456789"

    def __init__(self, port: int = 0, *, older: bool = False) -> None:
        self._older = older
        self.requests: list[dict[str, str]] = []
        self._app = build().streamable_http_app()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._enter, interface="asgi3", log_level="critical", lifespan="on", ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[self._socket]])
        self._thread.start()

    async def _enter(self, scope, receive, send) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.requests.append(headers)
            let_in = headers.get("authorization") == f"Bearer {self.key}"
            if not let_in or (self._older and headers.get("mcp-method") == "server/discover"):
                status = 404 if let_in else 401
                await send({"type": "http.response.start", "status": status, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self._app(scope, receive, send)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def close(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()


if __name__ == "__main__" and sys.argv[1:] == ["web"]:
    print(HttpServer().port, flush=True)
elif __name__ == "__main__":
    build().run()
