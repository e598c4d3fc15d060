"""Reads the line of a magic; mistakes become IPython's usage errors."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import NoReturn

from IPython.core.error import UsageError

from ..diagram.suggest import did_you_mean

_NO_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)")
_INSTEAD = {
    "run": "A cell that begins with %%dipeo runs what is in it, dipeo.run(FILE) what is in a file.",
    "edit": "Write run.edit(set={…}), with the variable of your run.",
    "trust": "You are asked when a file is run; in a terminal there is `dipeo trust FILE`.",
}


class Options(argparse.ArgumentParser):
    """An argument parser that never ends the program."""

    def error(self, message: str) -> NoReturn:
        hint = None
        if unknown := _NO_COMMAND.search(message):
            word, commands = unknown[1], re.findall(r"[\w-]+", unknown[2])
            message = f"there is no command {word!r}"
            hint = _INSTEAD.get(word) or did_you_mean(word, commands)
        for word in message.partition("unrecognized arguments: ")[2].split():
            known = [each for each in self._option_string_actions if each.startswith("--")]
            hint = hint or did_you_mean(word.partition("=")[0], known)
        raise UsageError(f"{self.prog}: {message}. {hint or 'See %dipeo help.'}")

    def parse_line(self, line: str) -> argparse.Namespace:
        """The options in a line, quoted as in a shell."""
        try:
            return self.parse_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error}") from None
