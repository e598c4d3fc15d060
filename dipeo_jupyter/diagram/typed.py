"""What is said of a word on a command line that means nothing: the same in all faces."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator

from .suggest import nearest

NO_COMMAND = "there is no command "
_CHOICES = re.compile(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)")
_UNKNOWN = "unrecognized arguments: "


def reworded(message: str, options: Iterable[str]) -> tuple[str, str | None]:
    """What argparse complains of in fewer words, and the right word if one is near.

    >>> reworded("unrecognized arguments: --brek x", ["--break", "--fresh"])
    ('unrecognized arguments: --brek x', "Did you mean '--break'?")
    """
    meant = None
    if unknown := _CHOICES.search(message):
        message = f"{NO_COMMAND}{unknown[1]!r}"
        meant = nearest(unknown[1], re.findall(r"[\w-]+", unknown[2]))
    for word in message.partition(_UNKNOWN)[2].split():
        if word.startswith("--"):
            meant = meant or nearest(word.partition("=")[0], options)
    return message, f"Did you mean {meant!r}?" if meant else None


def long_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options of a parser and of its commands, as they are written out."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to tell
        yield from (each for each in action.option_strings if each.startswith("--"))
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from long_options(command)
