"""What is asked for and never written on a line: the same in a notebook and in a terminal."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

KEY_PROMPT = "Key for {} (it is not shown): "


class QuietParser(argparse.ArgumentParser):
    """The options of `keys …`. What is wrong on their line may be a key, so no error repeats it."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error("")
        return known, rest

    def error(self, message: str) -> NoReturn:
        super().error(
            "write `keys list`, `keys test [KEY …]` or `keys set KEY [--dotenv]`, where KEY is a "
            "provider or a name. The key itself is asked for; if it was on the line, revoke it, "
            "for lines are remembered"
        )
