"""Reads the line of a magic; mistakes become IPython's usage errors."""

from __future__ import annotations

import argparse
import shlex
from typing import NoReturn

from IPython.core.error import UsageError

from ..diagram.typed import NO_COMMAND, long_options, reworded

_INSTEAD = {
    "run": "A cell that begins with %%dipeo runs what is in it, dipeo.run(FILE) what is in a file.",
    "edit": "Write run.edit(set={…}), with the variable of your run.",
    "trust": "You are asked when a file is run; in a terminal there is `dipeo trust FILE`.",
}


class Options(argparse.ArgumentParser):
    """An argument parser that never ends the program."""

    def error(self, message: str) -> NoReturn:
        message, hint = reworded(message, long_options(self))
        hint = _INSTEAD.get(message.removeprefix(NO_COMMAND).strip("'"), hint)
        raise UsageError(f"{self.prog}: {message}. {hint or 'See %dipeo help.'}")

    def parse_line(self, line: str) -> argparse.Namespace:
        """The options in a line, quoted as in a shell."""
        try:
            return self.parse_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error}") from None
