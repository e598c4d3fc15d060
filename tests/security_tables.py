"""The tables of SECURITY.md that are made of the hostile tests' own data.

`python -m tests.security_tables` writes them; `tests/test_security.py` fails when they are stale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import security_measured, test_hostile_diagrams, test_nothing_runs
from tests.services import test_sandbox_network
from tests.services.test_hostile_code import ATTACKS, PLAYED

FILE = Path(__file__).parent.parent / "SECURITY.md"
WALLS = security_measured.WALLS
LANGUAGES = {"python": "Python", "javascript": "JavaScript", "bash": "Bash"}
_TABLE = "<!-- {}: made by `python -m tests.security_tables`; a test keeps it true -->\n\n"


def attacks() -> Iterator[str]:
    """The attacks on jobs, by language, and behind which walls each is played."""
    yield f"| | attacks | {' | '.join(WALLS)} |"
    yield "|---|--:|" + "---|" * len(WALLS)
    for language, called in LANGUAGES.items():
        number = sum(each.language == language for each in ATTACKS)
        cells = " | ".join(_behind(walls, language) for walls in WALLS)
        yield f"| {called} | {number} | {cells} |"
    cells = " | ".join(_behind(walls) for walls in WALLS)
    yield f"| all | {len(ATTACKS)} | {cells} |"


def _behind(walls: str, language: str | None = None) -> str:
    """How many are played, and which of them see more than they should, as is admitted above."""
    played = [each for name, each in PLAYED if name == walls and language in (None, each.language)]
    if not played:
        return "–"
    shows = [
        each.name.partition(": ")[2] for each in played if walls.split(maxsplit=1)[0] in each.shows
    ]
    if not shows:
        return f"{len(played)} held"
    but = f"; {len(shows)} see a little" + (f": {', '.join(shows)}" if language else "")
    return f"{len(played) - len(shows)} held{but}"


NOT_MEASURED = {
    "Linux, aarch64": ("all of these", tuple(LANGUAGES)),
    "macOS": ("Deno", ("python", "javascript")),
    "Windows": ("none", ()),
}
"""Where nobody has played them: behind which walls, and what would then run."""


def platforms() -> Iterator[str]:
    """What has passed on the machine that was measured, and what nobody knows of others."""
    yield f"| platform | walls | tried before use | {' | '.join(LANGUAGES.values())} |"
    yield "|---|---|---|" + "---|" * len(LANGUAGES)
    here = security_measured.kept()
    for name, measured in here.walls.items():
        cells = " | ".join(_passed(name, each, measured.passed.get(each, 0)) for each in LANGUAGES)
        yield f"| {here.platform} | {measured.what} | {measured.trouble or 'hold'} | {cells} |"
    for platform, (walls, runs) in NOT_MEASURED.items():
        cells = " | ".join("**not tested**" if each in runs else "refused" for each in LANGUAGES)
        yield f"| {platform} | {walls} | **not tested** | {cells} |"


def _passed(walls: str, language: str, number: int) -> str:
    attacks = security_measured.attacks()[walls, language]
    return f"{number} of {attacks} held" if attacks else "refused"


def diagrams() -> Iterator[str]:
    """The attacks by what stands in a diagram."""
    yield "| what stands in a diagram | attacks | what must come of them |"
    yield "|---|--:|---|"
    tests = test_hostile_diagrams
    for what, test in {
        "expressions": tests.test_an_expression_reaches_nothing_of_python,
        "templates": tests.test_a_template_reaches_nothing_of_python,
        "other languages of templates": tests.test_languages_of_other_templates_are_text,
        "paths to read": tests.test_a_path_does_not_lead_out,
        "paths to write": tests.test_nothing_is_written_that_others_execute,
        "files with diagrams": tests.test_a_file_is_refused_before_anything_runs,
        "addresses of requests": tests.test_a_request_reaches_nothing_private,
        "addresses that are not public": test_sandbox_network.test_all_other_addresses_are_not,
    }.items():
        yield f"| {what} | {_cases(test)} | {_rule(test)} |"


def looking() -> Iterator[str]:
    """What is done with a diagram that would leave a mark by each node, if it was executed."""
    yield "| done with a diagram from elsewhere | executed |"
    yield "|---|---|"
    terminal = (each.replace(" {}", "") for each in test_nothing_runs.IN_A_TERMINAL)
    for where, ways in {
        "Python": list(test_nothing_runs.IN_PYTHON),
        "terminal": [f"`dipeo {each}`" for each in terminal],
        "WebSocket": [f"`{each}`" for each in test_nothing_runs.OVER_THE_WEBSOCKET],
    }.items():
        yield f"| {where}: {', '.join(ways)} | nothing |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "platforms": platforms,
    "attacks": attacks,
    "diagrams": diagrams,
    "looking": looking,
}


def written(text: str) -> str:
    """The text with its tables as they are now."""
    for name, table in TABLES.items():
        head = _TABLE.format(name)
        assert head in text, f"SECURITY.md has no table {name}"
        rows = "".join(f"{row}\n" for row in table())
        text = re.sub(rf"{re.escape(head)}(\|.*\n)*", lambda _, made=head + rows: made, text)
    return text


def _cases(test: Callable[..., object]) -> int:
    """With how many values a test is run."""
    (mark,) = [each for each in getattr(test, "pytestmark", ()) if each.name == "parametrize"]
    return len(mark.args[1])


def _rule(test: Callable[..., object]) -> str:
    """The sentence that its name is."""
    return test.__name__.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
