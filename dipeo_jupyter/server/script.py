"""The card's JavaScript, for pages that this server has delivered: once, and not with each card."""

from __future__ import annotations

import asyncio

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, authenticated

from ..built import SCRIPT, script_version

SCRIPT_PATH = r"/dipeo/card/([0-9a-f]+)\.js"
A_YEAR = 365 * 24 * 3600


class CardScript(JupyterHandler):
    """Gives the version that is asked for and no other: a kernel may have one of its own."""

    @authenticated
    async def get(self, version: str) -> None:
        try:
            same = version == await asyncio.to_thread(script_version)
        except FileNotFoundError:
            same = False
        if not same:
            raise HTTPError(404, "This version of the card's JavaScript is not here.")
        self.set_header("Content-Type", "text/javascript; charset=UTF-8")
        self.set_header("Cache-Control", f"private, max-age={A_YEAR}, immutable")
        self.finish(await asyncio.to_thread(SCRIPT.read_bytes))
