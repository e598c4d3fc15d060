"""What Jupyter Server loads: an engine for each user on the server's loop, and the way to it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, Float, Integer, List, Unicode

from ..client.discovery import Notice, put_up
from ..client.kernel_proof import Examiner
from ..nodes import load_node_types
from ..settings import Settings
from .limits import ServerLimits
from .script import SCRIPT_PATH, CardScript
from .users import OWNER, Users
from .websocket import KERNEL_PATH, PATH, DipeoWebSocket, KernelWebSocket

SELDOM = 100
"""Collections of the middle generation between two of all (Python: 10)."""
USUAL = ServerLimits()
OURS = logging.getLogger("dipeo_jupyter")


class DipeoApp(ExtensionApp):
    """Runs diagrams in the Jupyter server, for whoever comes by its WebSocket."""

    name = "dipeo_jupyter"
    load_other_extensions = True

    root = Unicode(
        help="The folder of the files that runs may read and write. "
        "Default: DIPEO_ROOT, else the root of the Jupyter server."
    ).tag(config=True)
    home = Unicode(
        help="The folder in which runs are kept. Default: DIPEO_HOME, else .dipeo in the root."
    ).tag(config=True)
    auto_resume = Bool(
        default_value=False,
        help="Go on, when the server starts, with runs that were interrupted when it stopped.",
    ).tag(config=True)
    allowed_origins = List(
        Unicode(),
        help="Pages from elsewhere (https://example.org) that may come in with the cookies of "
        "their readers. Jupyter's allow_origin and allow_origin_pat count too, but '*' does not.",
    ).tag(config=True)
    runs_at_once = Integer(
        USUAL.runs_at_once, min=1, help="How many runs of one user may go on, paused ones apart."
    ).tag(config=True)
    connections_per_user = Integer(
        USUAL.connections_per_user, min=1, help="How many connections one user may have."
    ).tag(config=True)
    frame_bytes = Integer(
        USUAL.frame_bytes, min=1000, help="The largest message that is taken, in bytes."
    ).tag(config=True)
    messages_per_second = Float(
        USUAL.messages_per_second, min=1, help="How many messages a connection may send a second."
    ).tag(config=True)
    held_bytes = Integer(
        USUAL.held_bytes,
        min=1000,
        help="How much is held for a reader that is behind, in bytes; it is told the rest from the "
        "journal, when it comes to it.",
    ).tag(config=True)
    write_timeout = Float(
        USUAL.write_timeout,
        min=0.1,
        help="Seconds after which a reader that does not take a message is given up.",
    ).tag(config=True)
    kernel_patience = Float(
        USUAL.kernel_patience,
        min=0,
        help="Seconds that a kernel whose connection is lost may take to come back, before what "
        "it was asked for fails.",
    ).tag(config=True)
    drain_seconds = Float(
        USUAL.drain_seconds,
        min=0,
        help="Seconds that model calls, jobs and other effects have to end when the server stops. "
        "Nothing new begins then; what is not done is cut short, and all runs can be resumed. "
        "Who stops the server a second time waits no longer.",
    ).tag(config=True)

    freeze = Bool(
        default_value=True,
        help="Have Python's garbage collector leave alone what was loaded when the server starts, "
        "and look through all the rest more seldom. Otherwise a full collection holds everybody up "
        "for a tenth of a second, every third of one while many runs go on, and finds nothing.",
    ).tag(config=True)

    switch_interval = Float(
        0.0005,
        min=0,
        help="Seconds that a thread may keep Python to itself while others wait: what calculates "
        "at length beside the event loop holds it up for about that long, each time. 0: as it is.",
    ).tag(config=True)

    users: Users | None = None
    _notice: Path | None = None

    def initialize_settings(self) -> None:
        self._show_logs()
        self.users = Users(
            self._engine_settings(), self._limits(), self.log, auto_resume=self.auto_resume
        )

    def initialize_handlers(self) -> None:
        options = {
            "users": self.users,
            "allowed_origins": tuple(self.allowed_origins),
            "examiner": Examiner(self._identity, self._key_of),
        }
        self.handlers.append((PATH, DipeoWebSocket, options))
        self.handlers.append((KERNEL_PATH, KernelWebSocket, options))
        self.handlers.append((SCRIPT_PATH, CardScript))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        assert self.users is not None
        address = url_path_join(serverapp.connection_url, PATH)
        self.log.info("dipeo_jupyter runs diagrams of %s: %s", self.users.settings.root, address)
        self._put_up_notice(serverapp)
        if self.switch_interval:
            sys.setswitchinterval(min(self.switch_interval, sys.getswitchinterval()))
        if self.freeze:
            await asyncio.to_thread(load_node_types)  # the greater part of what the first run loads
            gc.collect()
            gc.freeze()
            young, middle, old = gc.get_threshold()
            gc.set_threshold(young, middle, max(old, SELDOM))
        if self.auto_resume:
            await self.users.get(OWNER)

    async def stop_extension(self) -> None:
        for handler in self.log.handlers:
            OURS.removeHandler(handler)
        if self._notice is not None:
            self._notice.unlink(missing_ok=True)
        if self.users is not None:
            await self.users.close()

    def _show_logs(self) -> None:
        """What is logged about runs is seen where Jupyter's own lines are."""
        assert self.serverapp is not None
        OURS.setLevel(
            cast(int | str, self.serverapp.log_level)
        )  # its logger takes everything, its handlers do not
        for handler in self.log.handlers:
            OURS.addHandler(handler)

    def current_activity(self) -> list[str] | None:
        """The runs that go on, because of which the server is not idle."""
        users = self.users.known if self.users else []
        return [run for user in users for run in user.going_on] or None

    @cached_property
    def _identity(self) -> str:
        """Names this server and no other, before or after it."""
        return secrets.token_hex(16)

    def _key_of(self, kernel_id: str) -> bytes | None:
        """What a kernel of this server signs its messages with."""
        assert self.serverapp is not None
        kernels = self.serverapp.kernel_manager
        if kernel_id not in kernels:
            return None
        key: bytes | None = kernels.get_kernel(kernel_id).session.key
        return key

    def _put_up_notice(self, serverapp: Any) -> None:
        """Say where this server is, to the kernels that it starts."""
        if serverapp.sock:  # they find no way through a file
            return
        assert self.users is not None
        address = url_path_join(serverapp.connection_url, KERNEL_PATH)
        notice = Notice(
            url=f"ws{address.removeprefix('http')}",
            root=str(self.users.settings.root),
            pid=os.getpid(),
            instance=self._identity,
            certificates=serverapp.certfile or None,
        )
        try:
            self._notice = put_up(Path(serverapp.runtime_dir), notice)
        except OSError as error:
            self.log.warning("dipeo_jupyter: kernels will not find this server: %s", error)

    def _engine_settings(self) -> Settings:
        assert self.serverapp is not None
        settings = Settings.from_environment()
        environ = settings.environ
        root = Path(self.root or environ.get("DIPEO_ROOT") or self.serverapp.root_dir).absolute()
        home = Path(self.home or environ.get("DIPEO_HOME") or root / ".dipeo").absolute()
        return replace(settings, root=root, home=home, metrics=True)

    def _limits(self) -> ServerLimits:
        return ServerLimits(
            frame_bytes=self.frame_bytes,
            messages_per_second=self.messages_per_second,
            message_burst=max(1, round(2 * self.messages_per_second)),
            connections_per_user=self.connections_per_user,
            runs_at_once=self.runs_at_once,
            held_bytes=self.held_bytes,
            write_timeout=self.write_timeout,
            kernel_patience=self.kernel_patience,
            drain_seconds=self.drain_seconds,
        )
