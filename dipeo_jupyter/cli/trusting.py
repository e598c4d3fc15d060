"""`dipeo trust`: which diagrams may do what they ask for; and how it is asked before a run."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeAlias

from ..app import build_trust
from ..client.trusting import Granted, TrustQuestion, allowed, understood
from ..diagram.source import Reading, Source
from ..errors import UntrustedError
from ..protocol import commands as c
from ..protocol.refusals import placed
from .terminal import DONE, build, opened, read_settings, say, tell

Send: TypeAlias = Callable[[c.Command], Awaitable[c.Ack]]
RUN = re.compile(r"exec_\w*$")
SHOWN = 12
"""Characters of what a power is known by; they are enough to name it."""


def add_trusting(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Make `dipeo trust` known."""
    trust = commands.add_parser("trust", help="let a diagram do what it asks for, until it changes")
    trust.set_defaults(command=_trust)
    what = trust.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", help="a diagram, or the id of a run")
    what.add_argument("--list", action="store_true", help="say what is trusted")
    what.add_argument("--forget", metavar="ID", help="trust that no more; `all` is everything")


def add_trust(command: argparse.ArgumentParser) -> None:
    """The option of all commands that run a diagram from a file."""
    command.add_argument(
        "--trust", action="store_true", help="let the diagram do what it asks for, this once"
    )


async def send_trusted(
    send: Send,
    command: c.ExecuteDiagram | c.EditExecution | c.ForkExecution,
    options: argparse.Namespace,
    reading: Reading | None,
) -> c.Ack:
    """Have a command obeyed; when what it asks for is not trusted, whoever is there is asked.

    Raises `UntrustedError` when nobody is, or will not have it.
    """
    try:
        return await send(command)
    except UntrustedError as error:
        source = reading.source if reading else Source("", "", {})
        ask = None if options.no_interactive else _ask
        return await send(allowed(command, error, source, trust=options.trust, ask=ask))


def _ask(question: TrustQuestion) -> Granted | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    print(question, end="", file=sys.stderr, flush=True)
    return understood(sys.stdin.readline())


async def _trust(options: argparse.Namespace) -> int:
    if options.list:
        return _list()
    if options.forget:
        return _forget(options.forget)
    if RUN.match(options.file):
        return await _trust_run(options.file)
    engine = build(kept=False)
    try:
        reading = await opened(options.file, engine)
        asked = (await engine.send(c.TrustDiagram(diagram=reading.diagram))).result
        digests = tuple(each.digest for each in asked)
        if digests:
            command = c.TrustDiagram(diagram=reading.diagram, granted=digests)
            await engine.send(command)
    finally:
        await engine.close()
    for each in placed(asked, reading.source):
        say(f"{'was trusted' if each.trusted else 'trusted'} {each.digest[:SHOWN]} {each}")
    if not asked:
        say(f"{options.file}: it asks for nothing, and needs no trust")
    return DONE


async def _trust_run(run: str) -> int:
    """Take a run for one that was begun by this user, wherever its journal came from."""
    engine = build()
    try:
        ack = await engine.send(c.GetExecution(execution_id=run))
    finally:
        await engine.close()
    assert ack.execution_id is not None
    build_trust(read_settings()).remember_run(ack.execution_id)
    say(f"trusted {ack.execution_id}")
    return DONE


def _list() -> int:
    for each in build_trust(read_settings()).list():
        since = datetime.fromtimestamp(each.since, UTC).astimezone()
        tell(f"{each.digest[:SHOWN]}  {since:%Y-%m-%d %H:%M}  {each.says}")
    return DONE


def _forget(word: str) -> int:
    count = build_trust(read_settings()).forget(None if word == "all" else word)
    say(f"{count} trusted no more")
    return DONE
