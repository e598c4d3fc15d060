"""Finding files by a pattern: `*` stands for a part of a name, `**` for any number of folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import TypeAlias

from .folders import Parts

Names: TypeAlias = Callable[[Parts], tuple[list[str], list[str]]]
"""The files and the folders in a folder."""


def files_matching(pattern: Parts, names: Names) -> Iterator[Parts]:
    """The files that match, some of them perhaps more than once.

    A walk over pairs (folder, rest of the pattern), each seen once.
    """
    todo: set[tuple[Parts, Parts]] = {((), pattern)}
    seen: set[tuple[Parts, Parts]] = set()
    while todo:
        seen.add(state := todo.pop())
        at, rest = state
        files, folders = names(at)
        yield from ((*at, name) for name in _matching(files, rest))
        todo |= set(_deeper(at, folders, rest)) - seen


def _matching(files: list[str], pattern: Parts) -> list[str]:
    while pattern[0] == "**" and len(pattern) > 1:
        pattern = pattern[1:]
    return [name for name in files if fnmatchcase(name, pattern[0])] if len(pattern) == 1 else []


def _deeper(at: Parts, folders: list[str], pattern: Parts) -> Iterator[tuple[Parts, Parts]]:
    """Where to look next: one folder down, or here with the `**` taken as nothing."""
    head, rest = pattern[0], pattern[1:]
    if head == "**" and rest:
        yield at, rest
    for name in folders:
        if head == "**":
            yield (*at, name), pattern
        elif rest and fnmatchcase(name, head):
            yield (*at, name), rest
