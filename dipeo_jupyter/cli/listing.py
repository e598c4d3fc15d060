"""What is known of the runs that are kept: `dipeo list`, `status`, `show` and `prune`."""

from __future__ import annotations

import argparse
import json

from ..client.address import with_token
from ..client.remote import RemoteClient
from ..client.tables import clock_time, collections_text, conversation_text, runs_text
from ..errors import CommandError
from ..protocol import commands as c
from ..protocol import events as e
from .steering import Commands, next_step, standing
from .terminal import DONE, build, read_settings, say, tell

COLLECTIONS = "collections"
"""What `dipeo show` is given instead of a run, to list the collections of a database."""
NEWEST = 20
"""Runs that are listed without `--all`."""


def add_listing(commands: Commands) -> None:
    """Make the commands known that only look."""
    each = commands.add_parser("list", help="list the newest runs, those of other processes too")
    each.set_defaults(command=_list)
    each.add_argument("--all", action="store_true", help="list all that are kept")
    each.add_argument("--json", action="store_true", help="print them as JSON")
    each = commands.add_parser("status", help="say how a run stands, and how to go on with it")
    each.set_defaults(command=_status)
    each.add_argument("run", metavar="RUN", help="the id of a run; its beginning is enough")
    each = commands.add_parser("show", help="show what has happened in a run; or the collections")
    each.set_defaults(command=_show)
    each.add_argument(
        "run", metavar="RUN", help="the id of a run, its beginning is enough; or `collections`"
    )
    each.add_argument(
        "database", nargs="?", default="", metavar="DATABASE", help="of which collections are shown"
    )
    each.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    each.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on until the run is over, or nobody holds it; to stop looking does not stop it",
    )
    each.add_argument(
        "--server",
        metavar="URL",
        help="of a Jupyter server that has the run (its token in JUPYTER_TOKEN)",
    )
    each = commands.add_parser("conversation", help="show who has said what to whom in a run")
    each.set_defaults(command=_conversation)
    each.add_argument("run", metavar="RUN", help="the id of a run; its beginning is enough")
    each.add_argument("--json", action="store_true", help="print the messages whole, as JSON")
    each = commands.add_parser("prune", help="forget finished runs, the oldest first")
    each.set_defaults(command=_prune)
    each.add_argument(
        "--keep-last", type=_runs, default=50, metavar="N", help="but the last N (50)"
    )


def _runs(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)


async def _list(options: argparse.Namespace) -> int:
    engine = build()
    try:
        found: list[c.ExecutionSummary] = (await engine.send(c.ListExecutions())).result
    finally:
        await engine.close()
    runs = sorted(found, key=lambda each: each.execution_id, reverse=True)
    shown = runs if options.all else runs[:NEWEST]
    if options.json:
        rows = [each.model_dump(mode="json") for each in shown]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        print(runs_text(shown, among=[each.execution_id for each in runs]))
    if len(shown) < len(runs):
        say(f"… and {len(runs) - len(shown)} older ones (--all)")
    return DONE


async def _status(options: argparse.Namespace) -> int:
    engine = build()
    try:
        ack = await engine.send(c.GetExecution(execution_id=options.run))
    finally:
        await engine.close()
    summary: c.ExecutionSummary = ack.result
    print(standing(summary))
    over = summary.status in e.OVER
    held = "" if over else ", held by a process" if summary.live else ", held by no process"
    print(f"started {clock_time(summary.started)}, {summary.events} events{held}")
    if how := next_step(summary):
        print(how)
    return DONE


async def _show(options: argparse.Namespace) -> int:
    client = build() if options.server is None else _server(options.server)
    try:
        if options.run == COLLECTIONS:
            return _tell(await client.send(c.ListCollections(database=options.database)), options)
        if options.database:
            raise CommandError(
                f"`show` takes one run, and there is {options.database!r} beside it."
            )
        ack = await client.send(c.GetExecution(execution_id=options.run))
        async for entry in client.events(ack.result.execution_id):
            if options.json:
                tell(json.dumps(entry.to_wire(), ensure_ascii=False))
            else:
                _print(entry)
            if entry.seq >= ack.seq and not options.follow:
                break
    finally:
        await client.close()
    return DONE


def _tell(listed: c.Ack, options: argparse.Namespace) -> int:
    if options.json:
        rows = [each.model_dump(mode="json") for each in listed.result]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        print(collections_text(listed.result))
    return DONE


def _server(url: str) -> RemoteClient:
    return RemoteClient(with_token(url, read_settings().environ.get("JUPYTER_TOKEN")))


async def _conversation(options: argparse.Namespace) -> int:
    engine = build()
    try:
        ack = await engine.send(c.GetConversation(execution_id=options.run))
    finally:
        await engine.close()
    if options.json:
        rows = [each.model_dump(mode="json") for each in ack.result]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        print(conversation_text(ack.result))
    return DONE


def _print(entry: e.Entry) -> None:
    node = getattr(entry.event, "node", None)
    number = getattr(entry.event, "activation", None)
    where = f" {node}" if node else ""
    times = f"[{number}]" if number else ""
    words = entry.event.type.replace("_", " ")
    tell(f"{entry.seq:>5}  {clock_time(entry.time)}  {words}{where}{times}")


async def _prune(options: argparse.Namespace) -> int:
    engine = build()
    try:
        ack = await engine.send(c.PruneExecutions(keep_last=options.keep_last))
    finally:
        await engine.close()
    count = len(ack.result)
    print(f"{count} run{'' if count == 1 else 's'} forgotten")
    return DONE
