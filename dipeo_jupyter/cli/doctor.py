"""`dipeo doctor`: whether everything is there that is needed."""

from __future__ import annotations

import argparse
import json

from ..doctor import examine
from .steering import Commands
from .terminal import DONE, FAILED

MODE = "in this process: the terminal has no other way"


def add_doctor(commands: Commands) -> None:
    """Make `dipeo doctor` known."""
    doctor = commands.add_parser(
        "doctor", help="say whether everything is there, and how to mend it"
    )
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--json", action="store_true", help="print it as JSON")


async def _doctor(options: argparse.Namespace) -> int:
    found = examine(MODE)
    print(json.dumps(found.to_records(), ensure_ascii=False, indent=2) if options.json else found)
    return FAILED if found.broken else DONE
