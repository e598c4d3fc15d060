"""`%dipeo keys list|test|set`: which keys there are, whether they work, and a new one.

No value of a key is ever shown, and none is taken from a cell: notebooks are saved and shared.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from typing import Any

from ..app import build_key_desk
from ..client.hidden import KEY_PROMPT, QuietParser
from ..client.tables import as_columns
from ..errors import CommandError
from ..services.key_desk import FOUND_COLUMNS, NO_KEYS, TRIAL_COLUMNS, KeyDesk
from ..settings import Settings
from .options import Options
from .records import as_frame
from .session import default_session


class _QuietOptions(QuietParser, Options):
    """As in a terminal, with IPython's errors."""


class KeyTable(tuple[dict[str, str], ...]):
    """Where keys are, or how their trials went."""

    __slots__ = ()

    def to_records(self) -> list[dict[str, str]]:
        """One row for each key."""
        return list(self)

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(self[0]) if self else list(FOUND_COLUMNS))

    def __repr__(self) -> str:
        return as_columns(list(self[0]), self) if self else NO_KEYS


def add_key_commands(commands: Any) -> None:
    """Make the commands known that are about keys."""
    keys = commands.add_parser("keys", help="say where keys are, try them, put a new one")
    each = keys.add_subparsers(
        required=True, metavar="WHAT", parser_class=_QuietOptions, title="commands of %dipeo keys"
    )
    one = each.add_parser("list", help="list the keys that there are, without their values")
    one.set_defaults(act=_list)
    one = each.add_parser("test", help="ask providers whether they take them; costs nothing")
    one.set_defaults(act=_test)
    one.add_argument("keys", nargs="*", metavar="KEY", help="a provider or a name; else all")
    one = each.add_parser("set", help="ask for a key, hidden, and keep it in the keyring")
    one.set_defaults(act=_set)
    one.add_argument("key", metavar="KEY", help="a provider or a name")
    one.add_argument("--dotenv", action="store_true", help="keep it in the file .env instead")


def desk() -> KeyDesk:
    """The desk of this notebook."""
    return build_key_desk(Settings.from_environment())


def _list(_: argparse.Namespace, __: Mapping[str, Any]) -> KeyTable:
    here = desk()
    for trouble in here.troubles():
        print(trouble)  # noqa: T201 - what was asked for
    return KeyTable(here.rows())


def _test(words: argparse.Namespace, _: Mapping[str, Any]) -> KeyTable:
    trials = default_session().loop.run(desk().test(*words.keys))
    return KeyTable({name: getattr(each, name) for name in TRIAL_COLUMNS} for each in trials)


def _set(words: argparse.Namespace, _: Mapping[str, Any]) -> None:
    here = desk()
    name = here.name_for(words.key)
    try:
        value = getpass.getpass(KEY_PROMPT.format(name))
    except Exception as error:
        # Each front end refuses in its own way (EOFError, StdinNotImplementedError, …).
        raise CommandError(
            f"Nobody can be asked here. Set {name} in the environment or in .env.", code="no_input"
        ) from error
    print(here.put(name, value, in_file=words.dotenv))  # noqa: T201 - what was asked for
