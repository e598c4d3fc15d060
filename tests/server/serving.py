"""A Jupyter server on loopback, in this process, with the extension and nothing of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

TOKEN = "let-me-in"  # noqa: S105 - of nobody
ASK = """
version: light
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: name}, {from: name, to: end}]
"""
QUICK = """
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: end, type: endpoint}
connections: [{from: start, to: end}]
"""
_NUMBERS = itertools.count(1)
OVER = ("execution_completed", "execution_failed", "execution_cancelled")


@dataclass
class Served:
    """The server that runs, and how to reach it."""

    app: ServerApp
    log: list[str] = field(default_factory=list)

    @property
    def extension(self):
        return self.app.extension_manager.extension_points["dipeo_jupyter"].app

    @property
    def users(self):
        return self.extension.users

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.app.port}{self.app.base_url}dipeo/ws"

    @asynccontextmanager
    async def client(self, *, who=None, **options) -> AsyncIterator[Client]:
        """Somebody who has come in; what is said first is heard already."""
        given = {"Authorization": f"token of-{who}" if who else f"token {TOKEN}"}
        async with websockets.connect(
            self.url, additional_headers=given, max_size=None, proxy=None, **options
        ) as socket:
            client = Client(socket)
            client.hello = await client.hear()
            yield client


class Client:
    """Any WebSocket client: it says JSON and hears JSON."""

    def __init__(self, socket):
        self.socket, self.heard, self.hello = socket, [], None
        self._passed_over = deque()

    async def say(self, type_, **fields):
        await self.socket.send(json.dumps({"type": type_, **fields}))

    async def hear(self):
        """The next frame that nobody has looked at."""
        return self._passed_over.popleft() if self._passed_over else await self._next()

    async def until(self, *types, **payload):
        """Hear until a frame of one of these types, with these fields."""
        while True:
            frame = await self.hear()
            inside = frame.get("payload", {})
            if frame["type"] in types and payload.items() <= inside.items():
                return frame

    async def ask(self, type_, **fields):
        """Say something and hear its answer; what else comes meanwhile is heard later."""
        name = fields.setdefault("correlation_id", f"ask {next(_NUMBERS)}")
        await self.say(type_, **fields)
        while True:
            frame = await self._next()
            if frame["type"] in ("ack", "error") and frame.get("correlation_id") == name:
                return frame
            self._passed_over.append(frame)

    async def _next(self):
        frame = json.loads(await asyncio.wait_for(self.socket.recv(), 20))
        self.heard.append(frame)
        return frame

    async def closed(self):
        """Hear until the end; the code and the reason of it."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.hear()
        return self.socket.close_code, self.socket.close_reason

    def types(self, execution_id=None):
        """The types of all that was heard (of a run)."""
        about = [each for each in self.heard if "seq" in each] if execution_id else self.heard
        return [
            frame["type"] for frame in about if execution_id in (None, frame.get("execution_id"))
        ]


@asynccontextmanager
async def serving(
    folder: Path, *arguments: str, config: dict[str, Any] | None = None, **dipeo: Any
) -> AsyncIterator[Served]:
    """A server whose root is `folder`; `dipeo` are settings of the extension."""
    ServerApp.clear_instance()
    settings = Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"dipeo_jupyter": True},
                "root_dir": str(folder),
                "ip": "127.0.0.1",
                "port": 0,
                "open_browser": False,
                "allow_root": True,
            },
            "IdentityProvider": {"token": TOKEN},
            "DipeoApp": {"drain_seconds": 0, "freeze": False, "switch_interval": 0, **dipeo},
        }
    )
    settings.merge(Config(config or {}))
    app = _ServerApp(config=settings)
    served = Served(app)
    handler = _Lines(served.log)
    app.initialize(argv=list(arguments), find_extensions=False)
    app.log.addHandler(handler)
    app.start_app()
    await app._post_start()
    try:
        yield served
    finally:
        await app._cleanup()
        await app.http_server.close_all_connections()
        if app.kernel_manager.trait_has_value("context"):  # or it warns when it is collected first
            app.kernel_manager.context.destroy(0)
        app.log.removeHandler(handler)
        app.clear_instance()


class _ServerApp(ServerApp):
    def init_signal(self):
        """Only the main thread of a program hears of signals."""
        if threading.current_thread() is threading.main_thread():
            super().init_signal()


class _Lines(logging.Handler):
    def __init__(self, lines):
        super().__init__(logging.DEBUG)
        self.lines = lines
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))
