"""`%dipeo list|show|pause|step|…`: what is done with runs in one line.

RUN is a variable that holds a `Run`, else the id of a run, of which the beginning is enough.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from ..client import add_budget, json_or_text
from ..diagram.suggest import did_you_mean
from ..errors import CommandError
from . import api
from .conversation import ConversationTable
from .costs import Costs
from .listing import Plan, Runs, Tables
from .run import Run
from .session import default_session

COLLECTIONS = "collections"
"""What `show` is given instead of a run, to list the collections of a database."""
_OF_COLLECTIONS = f"after `{COLLECTIONS}`: the database, by its name; without it, the usual one"

Subcommands = Any  # argparse's own type has no public name

_SIMPLE: dict[str, tuple[Callable[[Run], None], str]] = {
    "cancel": (Run.cancel, "end a run"),
}
_NODES: dict[str, tuple[Callable[[Run, str], None], str]] = {
    "skip": (Run.skip_node, "leave out the next firing of a node, or the one under way"),
    "hold": (Run.pause_node, "let a node start no more; all others go on"),
    "release": (Run.resume_node, "let it start again"),
}


def add_run_commands(commands: Subcommands) -> None:
    """Make the commands known that are about runs."""
    each = commands.add_parser("list", help="list all runs that are kept")
    each.set_defaults(act=_list)
    each = _on_run(commands, "show", _show, "show a run as it stands; or the collections there are")
    each.add_argument("database", nargs="?", metavar="DATABASE", help=_OF_COLLECTIONS)
    each = _on_run(commands, "conversation", _conversation, "say who said what, and who sees it")
    each = _on_run(commands, "status", _status, "say in one line how a run stands")
    each = _on_run(commands, "pause", _pause, "start nothing new in a run")
    each.add_argument("--now", action="store_true", help="stop what runs, to run it again later")
    each = _on_run(commands, "resume", _resume, "go on with a run; what has failed is tried again")
    add_budget(each)
    _on_run(commands, "cost", _cost, "say what a run has cost, by node and person")
    for name, (_, what) in _SIMPLE.items():
        _on_run(commands, name, _simple, what).set_defaults(name=name)
    each = _on_run(commands, "step", _step, "let activations through, then pause again")
    each.add_argument("steps", nargs="?", type=int, default=1, metavar="N", help="how many")
    each = _on_run(commands, "answer", _answer, "answer a question; the first answer wins")
    each.add_argument("node", metavar="NODE", help="the node that asks")
    each.add_argument("value", metavar="VALUE", help="JSON or text")
    each = _on_run(commands, "break", _break, "pause at these places only; without any, nowhere")
    each.add_argument("places", nargs="*", metavar="PLACE", help="argue, argue[2], 'after argue'")
    for name, (_, what) in _NODES.items():
        each = _on_run(commands, name, _on_node, what)
        each.set_defaults(name=name)
        each.add_argument("node", metavar="NODE", help="the label of a node")
    each = _on_run(commands, "fork", _fork, "start a new run with the past of this one")
    each.add_argument("--at", metavar="ACTIVATION", help="what is run anew: argue[2]")
    each = commands.add_parser("plan", help="say what a run would do, reuse and cost")
    each.set_defaults(act=_plan)
    each.add_argument(
        "diagram", metavar="DIAGRAM", help="a variable (a run, a diagram, a text) or a file"
    )
    each.add_argument("--since", metavar="RUN", help="a run whose results hold")
    each.add_argument("--thread", metavar="NAME", help="the conversation to go on with")
    each = commands.add_parser("prune", help="forget finished runs, the oldest first")
    each.set_defaults(act=_prune)
    each.add_argument("keep_last", nargs="?", type=int, default=50, metavar="N", help="but N (50)")


def find_run(word: str, variables: Mapping[str, Any]) -> Run:
    """The run that a word names; raises `CommandError` when there is none."""
    value = variables.get(word)
    if isinstance(value, Run):
        return value
    try:
        return api.get(word)
    except CommandError as error:
        if error.code != "unknown_execution":
            raise
        names = [name for name, value in variables.items() if isinstance(value, Run)]
        hint = did_you_mean(word, [name for name in names if not name.startswith("_")]) or ""
        message = f"There is neither a run in a variable {word!r} nor one with such an id. {hint}"
        raise CommandError(message.strip(), code=error.code) from None


def _on_run(commands: Subcommands, name: str, act: Callable[..., Any], what: str) -> Any:
    each = commands.add_parser(name, help=what)
    each.set_defaults(act=act)
    each.add_argument("run", metavar="RUN", help="a variable that holds a run, or an id")
    return each


Variables = Mapping[str, Any]
Words = argparse.Namespace


def _list(_: Words, __: Variables) -> Runs:
    return api.runs()


def _show(words: Words, variables: Variables) -> Run | Tables:
    if words.run == COLLECTIONS and not isinstance(variables.get(words.run), Run):
        return Tables(default_session().collections(words.database or ""))
    if words.database is not None:
        message = f"`show` takes one run, and there is {words.database!r} beside it."
        hint = f"`%dipeo show {COLLECTIONS} DATABASE` is about a database."
        raise CommandError(message, code="bad_option", hint=hint)
    return find_run(words.run, variables)


def _conversation(words: Words, variables: Variables) -> ConversationTable:
    return find_run(words.run, variables).conversation


def _status(words: Words, variables: Variables) -> None:
    _say(find_run(words.run, variables))


def _pause(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    run.pause(now=words.now)
    _say(run)


def _simple(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    _SIMPLE[words.name][0](run)
    _say(run)


def _resume(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    run.resume(
        budget_usd=words.budget_usd,
        max_calls=words.max_calls,
        max_tokens_total=words.max_tokens_total,
    )
    _say(run)


def _cost(words: Words, variables: Variables) -> Costs:
    return find_run(words.run, variables).costs


def _step(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    run.step(words.steps)
    _say(run)


def _answer(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    run.answer(words.node, json_or_text(words.value))
    _say(run)


def _break(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    run.breakpoints(*words.places)
    print(f"stops at: {', '.join(run.stops) or 'nothing'}")  # noqa: T201 - what was asked for


def _on_node(words: Words, variables: Variables) -> None:
    run = find_run(words.run, variables)
    _NODES[words.name][0](run, words.node)
    _say(run)


def _fork(words: Words, variables: Variables) -> Run:
    return find_run(words.run, variables).fork(words.at)


def _plan(words: Words, variables: Variables) -> Plan:
    from .commands import find_diagram  # noqa: PLC0415 - it knows this module

    since = find_run(words.since, variables) if words.since else None
    return api.plan(find_diagram(words.diagram, variables), since=since, thread=words.thread)


def _prune(words: Words, _: Variables) -> None:
    count = api.prune(words.keep_last)
    print(f"{count} run{'' if count == 1 else 's'} forgotten")  # noqa: T201 - what was asked for


def _say(run: Run) -> None:
    print(run.standing)  # noqa: T201 - what was asked for
