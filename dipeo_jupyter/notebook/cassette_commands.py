"""`%dipeo cassette`: which file the answers of models are recorded on, or replayed from."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..services.cassettes import Cassette
from ..settings import CASSETTE_MODES, Settings
from .options import Options
from .session import default_session


def add_cassette_commands(commands: Any) -> None:
    """Make `%dipeo cassette` known."""
    cassette = commands.add_parser("cassette", help="say which cassette is in use, or use one")
    cassette.set_defaults(act=_show)
    each = cassette.add_subparsers(metavar="WHAT", parser_class=Options, title="what can be done")
    one = each.add_parser("use", help="record answers of models on a file, or replay them")
    one.set_defaults(act=_use)
    one.add_argument("cassette", metavar="FILE", help="a YAML file, made when it is not there")
    one.add_argument("--mode", choices=CASSETTE_MODES, help="auto: ask for what is not recorded")
    one = each.add_parser("off", help="ask models themselves again")
    one.set_defaults(act=_off)


def _show(_: argparse.Namespace, __: Mapping[str, Any]) -> None:
    print(in_words(default_session().settings))  # noqa: T201 - what was asked for


def _use(words: argparse.Namespace, variables: Mapping[str, Any]) -> None:
    default_session().use(words.cassette, words.mode)
    _show(words, variables)


def _off(words: argparse.Namespace, variables: Mapping[str, Any]) -> None:
    default_session().use(None, "off")
    _show(words, variables)


def in_words(settings: Settings) -> str:
    """The cassette in use, and how much is on it; raises `ServiceError` for one that is broken."""
    if settings.cassette is None or not settings.taped:
        return "no cassette is in use"
    cassette = Cassette(settings.cassette)
    count = len(cassette)
    answers = f"{count} answer{'' if count == 1 else 's'}"
    return f"{cassette.name} ({settings.cassette_mode}): {answers}"
