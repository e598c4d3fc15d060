"""`dipeo keys list|test|set`: which keys there are, whether they work, and a new one."""

from __future__ import annotations

import argparse
import getpass
import json
import sys

from ..app import build_key_desk
from ..client.hidden import KEY_PROMPT, QuietParser
from ..client.tables import as_columns
from ..errors import CommandError
from ..services.key_desk import FOUND_COLUMNS, NO_KEYS, KeyDesk
from ..settings import Settings
from .steering import Commands
from .terminal import DONE, FAILED, say

_MOST_TYPED = 10_000


def add_keys(commands: Commands) -> None:
    """Make `dipeo keys` known."""
    keys = commands.add_parser("keys", help="say where keys are, try them, put a new one")
    what = keys.add_subparsers(required=True, metavar="WHAT", parser_class=QuietParser)
    each = what.add_parser("list", help="list the keys that there are, without their values")
    each.set_defaults(command=_list)
    each.add_argument("--json", action="store_true", help="print them as JSON")
    each = what.add_parser("test", help="ask providers whether they take them; costs nothing")
    each.set_defaults(command=_test)
    each.add_argument("keys", nargs="*", metavar="KEY", help="a provider or a name; else all")
    each = what.add_parser("set", help="ask for a key, hidden, and keep it in the keyring")
    each.set_defaults(command=_set)
    each.add_argument("key", metavar="KEY", help="a provider or a name")
    each.add_argument("--dotenv", action="store_true", help="keep it in the file .env instead")


def _desk() -> KeyDesk:
    try:
        return build_key_desk(Settings.from_environment())
    except ValueError as error:
        raise CommandError(str(error), code="bad_setting") from None


async def _list(options: argparse.Namespace) -> int:
    desk = _desk()
    rows = desk.rows()
    for trouble in desk.troubles():
        say(trouble)
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        print(as_columns(FOUND_COLUMNS, rows) if rows else NO_KEYS)
    return DONE


async def _test(options: argparse.Namespace) -> int:
    trials = await _desk().test(*options.keys)
    for each in trials:
        print(f"{each.provider}  {each.name}  {each.verdict}: {each.said}")
    if not trials:
        say(f"dipeo: {NO_KEYS}")
    return DONE if trials and all(each.verdict == "works" for each in trials) else FAILED


async def _set(options: argparse.Namespace) -> int:
    desk = _desk()
    name = desk.name_for(options.key)
    print(desk.put(name, _typed(name), in_file=options.dotenv))
    return DONE


def _typed(name: str) -> str:
    """What is typed, unseen; or the line that comes through a pipe, from a password manager."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(_MOST_TYPED)
    try:
        return getpass.getpass(KEY_PROMPT.format(name))
    except EOFError:
        raise CommandError("No key was given.", code="no_input") from None
