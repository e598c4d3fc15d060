"""What the hostile tests have shown on one machine, for the tables of SECURITY.md.

`python -m tests.security_measured` tries which walls there are, plays all attacks, and keeps what
came of it in `security_measured.json`, of which `tests/security_tables.py` makes a table.
"""

from __future__ import annotations

import asyncio
import json
import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.services.sandbox import landlock
from dipeo_jupyter.services.sandbox.bubblewrap import Bubblewrap
from dipeo_jupyter.services.sandbox.deno import Deno
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.probe import trouble
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.tiers import Tier
from tests.services import test_deno, test_hostile_code
from tests.services.test_hostile_code import OLD, PLAYED, One, tier_named

FILE = Path(__file__).with_suffix(".json")
WALLS = ("bubblewrap", "landlock", OLD, "deno")
_FILTERED = 2
_MODE_OF_SECCOMP = f"import ctypes; return ctypes.CDLL(None).prctl(21) == {_FILTERED}"


@dataclass(frozen=True)
class Measured:
    """Walls of a machine: what they are, why they do not hold, and how many attacks by language
    they have passed."""

    what: str
    trouble: str | None
    passed: dict[str, int]


@dataclass(frozen=True)
class Machine:
    """Where it was measured, and what was found there."""

    platform: str
    walls: dict[str, Measured]


def kept() -> Machine:
    """What was measured last."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    walls = {name: Measured(**each) for name, each in told["walls"].items()}
    return Machine(told["platform"], walls)


def attacks() -> Counter[tuple[str, str]]:
    """How many attacks there are, by walls and language."""
    numbers = Counter((name, one.language) for name, one in PLAYED)
    numbers["deno", "python"] = len(test_deno.TRIED)
    return numbers


class Verdicts:
    """A plug-in of pytest that counts the attacks which were held."""

    def __init__(self) -> None:
        self.held: Counter[tuple[str, str]] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "call" and report.passed:
            self.held.update(_attacks_of(item))
        return report


def _attacks_of(item: pytest.Function) -> Iterator[tuple[str, str]]:
    if item.originalname == test_hostile_code.test_code_does_not_get_out.__name__:
        yield item.callspec.params["name"], item.callspec.params["one"].language
    if item.name == test_deno.test_python_in_pyodide_gets_no_further_than_javascript.__name__:
        yield from [("deno", "python")] * len(test_deno.TRIED)


def measure() -> Machine:
    """Try the walls of this machine, and play all attacks behind those that hold."""
    verdicts = Verdicts()
    modules = [test_hostile_code.__file__, test_deno.__file__]
    pytest.main(["-q", "-p", "no:cacheprovider", *modules], plugins=[verdicts])
    walls = {}
    for name in WALLS:
        held = {language: n for (walls, language), n in verdicts.held.items() if walls == name}
        tier = tier_named(name, Limits())
        reason = tier if isinstance(tier, str) else asyncio.run(trouble(tier, Limits()))
        walls[name] = Measured(name if isinstance(tier, str) else _what(tier), reason, held)
    release = ".".join(platform.release().split(".")[:2])
    return Machine(f"{platform.system()} {release}, {platform.machine()}", walls)


def _what(tier: Tier) -> str:
    """A name with a version, and whether a filter of seccomp stands behind it."""
    match tier:
        case Bubblewrap():
            what = _said(tier.program, "--version")
        case landlock.Landlock():
            what = f"Landlock, ABI {tier.abi}"
        case Deno():
            pyodide = json.loads((test_deno.PYODIDE / "package.json").read_text())["version"]
            return f"Deno {_version(_said(tier.program, '--version'))}, Pyodide {pyodide}"
    sandbox = ProcessSandbox(walls=One(tier))  # type: ignore[arg-type]
    job = Job("python", _MODE_OF_SECCOMP, {}, timeout=10)
    filtered = asyncio.run(sandbox.run(job, lambda _: None)).value
    return f"{what}; seccomp" if filtered else what


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _version(text: str) -> str:
    found = re.search(r"\d[\d.]*", text)
    assert found, text
    return found[0]


if __name__ == "__main__":
    FILE.write_text(json.dumps(asdict(measure()), indent=2) + "\n", encoding="utf-8")
