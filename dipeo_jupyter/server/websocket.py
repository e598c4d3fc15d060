"""The one handler, at `/dipeo/ws`: lets people in, and hands frames to their `Connection`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider
from jupyter_server.auth.decorator import allow_unauthenticated, ws_authenticated
from jupyter_server.auth.identity import LegacyIdentityProvider
from jupyter_server.auth.identity import User as JupyterUser
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async, origin_matches_pat
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..client.kernel_proof import HEADER, Examiner
from ..errors import CommandError
from .connection import Connection, GoneError
from .outbox import Frame
from .users import OWNER, Users

PATH, KERNEL_PATH = r"/dipeo/ws", r"/dipeo/kernel/ws"
RESOURCE = "dipeo"
ONE_SECRET = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
"""Providers by which all who come in know the same secret, and get names by chance."""
PING_INTERVAL = 20_000
"""Milliseconds, as Jupyter counts them: who does not answer for so long is gone."""


class DipeoWebSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Without `ws_authenticated` it would be open to everybody."""

    auth_resource = RESOURCE
    _kernel: str | None = None
    """The kernel that has proved to be at the other end."""

    def initialize(
        self, users: Users, allowed_origins: tuple[str, ...], examiner: Examiner
    ) -> None:
        self._users = users
        self._allowed_origins = allowed_origins
        self._examiner = examiner
        self._connection: Connection | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def ping_interval(self) -> float:
        """Seconds, as Tornado counts them, which does the asking here."""
        return float(self.settings.get("ws_ping_interval", PING_INTERVAL)) / 1000

    @property
    def ping_timeout(self) -> float:
        return self.ping_interval

    @property
    def max_message_size(self) -> int:
        return self._users.limits.frame_bytes

    def set_default_headers(self) -> None:
        """Those of pages mean nothing here."""

    def get_compression_options(self) -> None:
        """None: a small frame could become a very large one."""

    def check_origin(self, origin: str | None = None) -> bool:
        """Whether a page of this origin may come in with the cookies of its reader.

        Jupyter's own check lets everything pass when `allow_origin` is `*`. This one does not:
        a browser gives cookies to whatever page asks, and what is behind this runs code. Who knows
        the token may come from anywhere.
        """
        origin = origin or self.get_origin()
        if origin is None or self.token_authenticated:
            return True
        here = urlsplit(origin).netloc.lower() == (self.request.host or "").lower()
        pattern = self.allow_origin_pat
        allowed = {*self._allowed_origins, self.allow_origin} - {"", "*"}
        if here or origin in allowed or (pattern and origin_matches_pat(pattern, origin)):
            return True
        self.log.warning("dipeo_jupyter: a page of %r may not come in", origin[:200])
        return False

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        if not await self._may("read"):
            raise HTTPError(403, "You may not read diagrams here.")
        await super().get(*args, **kwargs)

    async def open(self, *args: Any, **kwargs: Any) -> None:
        # Not the mixin's, which would ask for life signs a second time, in its own way.
        self.set_nodelay(True)  # small frames would wait 40 ms for one another
        try:
            user = await self._users.get(self._name(self.current_user))
        except CommandError as error:
            self.close(1012, error.message)
            return
        except Exception:
            self.log.exception("dipeo_jupyter cannot begin")
            self.close(1011, "the log of the server says why")
            return
        if self.ws_connection is None:  # gone meanwhile
            return
        if len(user.connections) >= user.limits.connections_per_user:
            self.close(1013, "too many connections of yours")
            return
        self._connection = Connection(
            user, self._may, self._write, self._end, self.log, self._kernel
        )
        await self._connection.open()
        self._watching = asyncio.create_task(self._look_again())

    async def on_message(self, message: str | bytes) -> None:
        if self._connection is None:
            return
        if isinstance(message, bytes):
            await self._connection.dismiss(1003, "text frames only")
            return
        try:
            await self._connection.receive(message)
        except Exception as error:  # noqa: BLE001 - what leaves here is logged with the address, token and all
            self.log.error("dipeo_jupyter: %s in a frame", type(error).__name__)  # noqa: TRY400 - as above
            await self._connection.dismiss(1011, "a fault of the server")

    def on_close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        if self._connection is not None:
            self._connection.closed()

    async def _write(self, frames: Sequence[Frame]) -> None:
        """Raises `TimeoutError` when nobody takes them, `ConnectionError` when nobody is there."""
        taken: list[asyncio.Future[None]] = []
        try:
            async with asyncio.timeout(self._users.limits.write_timeout):
                for each in frames:
                    taken.append(self.write_message(each))  # noqa: PERF401 - what was begun before it raises counts
                await asyncio.gather(*taken)
        except (WebSocketClosedError, StreamClosedError):
            for future in taken:
                future.add_done_callback(asyncio.Future.exception)  # they say the same
            raise ConnectionError from None

    async def _end(self, code: int, reason: str) -> None:
        self.close(code, reason)

    async def _may(self, action: str) -> bool:
        """Whether who came in may still come in, and do this."""
        user = await self._who()
        if user is None or self._name(user) != self._name(self.current_user):
            raise GoneError("not logged in any more")
        allowed = self.authorizer.is_authorized(self, user, action, RESOURCE)
        return bool(await ensure_async(allowed))

    async def _who(self) -> JupyterUser | None:
        """Who would be let in with the same token or cookie now."""
        # This handler remembers whom it let in, and cannot set cookies any more.
        probe = JupyterHandler(self.application, self.request)
        user: JupyterUser | None = await ensure_async(self.identity_provider.get_user(probe))
        return user

    async def _look_again(self) -> None:
        assert self._connection is not None
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._users.limits.look_again)
                try:
                    if await self._may("read"):
                        continue
                except GoneError:
                    pass
                await self._connection.dismiss(4401, "not logged in any more")
                return

    def _name(self, user: JupyterUser) -> str:
        """Whose runs this one sees."""
        if type(self.identity_provider) in ONE_SECRET:
            return OWNER
        owner = self._users.settings.environ.get("JUPYTERHUB_USER")
        return OWNER if user.username == owner else user.username


class KernelWebSocket(DipeoWebSocket):
    """The same for kernels of this server, which have no token but can prove what they are.

    What they run is their owner's. Where an identity provider tells people apart, nobody knows
    whose a kernel is, and so none is let in.
    """

    def check_origin(self, origin: str | None = None) -> bool:
        """No page has business here."""
        return False

    @allow_unauthenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        one_owner = type(self.identity_provider) in ONE_SECRET or (
            "JUPYTERHUB_USER" in self._users.settings.environ
        )
        if one_owner and "Origin" not in self.request.headers:
            self._kernel = self._examiner.kernel_of(self.request.headers.get(HEADER, ""))
        if self._kernel is None:
            raise HTTPError(403, "This is for kernels of this server.")
        await WebSocketHandler.get(self, *args, **kwargs)

    async def _may(self, action: str) -> bool:
        """A kernel may do what its owner may; it is one as long as it lives."""
        if self._kernel is None or self._kernel not in self.kernel_manager:
            raise GoneError("the kernel is gone")
        return True

    def _name(self, user: JupyterUser | None) -> str:
        return OWNER
