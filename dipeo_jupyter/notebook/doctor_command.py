"""`%dipeo doctor`: whether everything is there that is needed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..doctor import COLUMNS, Examination, examine
from .connecting import folder_in, servers_of_this_kernel
from .records import as_frame, table
from .session import Session, default_session


class Shown(Examination):
    """As a notebook shows it."""

    __slots__ = ()

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), [*COLUMNS, "mend"])

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        advice = "".join(f"<li>{escape(each)}</li>" for each in self.advice())
        html = table(COLUMNS, self.to_records()) + (f"<ul>{advice}</ul>" if advice else "")
        return {"text/plain": repr(self), "text/html": html}


def add_doctor_command(commands: Any) -> None:
    """Make `%dipeo doctor` known."""
    each = commands.add_parser("doctor", help="say whether everything is there, and how to mend it")
    each.set_defaults(act=_doctor)


def _doctor(_: argparse.Namespace, __: Mapping[str, Any]) -> Shown:
    try:
        mode = _mode(default_session())
    except ValueError:  # settings that cannot be, which are found out again
        mode = "unknown, as settings are wrong"
    return Shown(examine(mode))


def _mode(session: Session) -> str:
    """Where diagrams run, and why. An address is not repeated: it may have a token in it."""
    if session.server is not None:
        return "in a Jupyter server, which is connected"
    wanted = session.settings.connect
    if wanted not in ("embedded", "auto"):
        return "in the Jupyter server that DIPEO_CONNECT names"
    own = [*servers_of_this_kernel(session.settings.environ)]
    if not own:
        return "in this process: no Jupyter server was found that has started it"
    if wanted == "embedded":
        return "in this kernel, by DIPEO_CONNECT; `%dipeo connect auto` has its server do it"
    if all(folder_in(each, session.settings.root) is None for each in own):
        return "in this kernel: its server does not serve this folder"
    return "in the Jupyter server that has started this kernel"
