"""No code gets out of the sandbox: each attack of `hostile/`, behind each kind of walls."""

from __future__ import annotations

import asyncio
import re
import resource
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.services.sandbox import landlock
from dipeo_jupyter.services.sandbox.bubblewrap import Bubblewrap
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.probe import candidates, trouble
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.tiers import Tier
from dipeo_jupyter.services.sandbox.view import readable
from tests.services.hostile import bash_attacks, javascript_attacks, python_attacks
from tests.services.hostile.attacks import GOT_OUT, Attack
from tests.services.hostile.world import CANARY_NAME, World, processes, world

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are walls on Linux alone")

ATTACKS = [*python_attacks.ATTACKS, *javascript_attacks.ATTACKS, *bash_attacks.ATTACKS]
OLD = "landlock of old"
"""As on a kernel of 2022, which leaves to the filter what it does not yet know itself."""
LEFT_TO_THE_FILTER = re.compile("control|kill|stop|signal|cut|abstract|priorit|limits of")
AT_ONCE = 6
BEYOND = 2.0
"""Seconds that an attack may take beyond its limit."""
PLAYED = [
    *((name, each) for name in ("bubblewrap", "landlock") for each in ATTACKS),
    *((OLD, each) for each in ATTACKS if LEFT_TO_THE_FILTER.search(each.name)),
    *(("deno", each) for each in javascript_attacks.ATTACKS),
]
IN_DENO = {
    "javascript: control: a subprocess": "Command failed",
    "javascript: says a result that is too large": "wrote a file larger",
}
"""Where Deno, in which nothing is started, and whose report is a file, ends in another way."""
GROWTH = 256 * 1024**2
"""Bytes by which the server may grow."""
LIMITS = Limits(memory=192 * 1024**2, folder=16 * 1024**2, files=2_000, processes=24, threads=100)
OF_NODE = replace(LIMITS, memory=512 * 1024**2)


@dataclass(frozen=True)
class One:
    """Fulfils the part of `Walls` that a sandbox uses: these walls, and no others."""

    tier: Tier

    async def find(self) -> Tier:
        return self.tier


@dataclass
class Ended:
    """What came of an attack."""

    said: str
    seconds: float
    left: list[int]
    damage: list[str]


def tier_named(name: str, limits: Limits) -> Tier | str:
    """The walls of this name, or why there are none."""
    if name == OLD:
        return landlock.Landlock(2, limits, readable(())) if landlock.version() else "no Landlock"
    return dict(candidates(limits, readable(())))[name]


async def attack(sandboxes: dict[str, ProcessSandbox], one: Attack, there: World) -> Ended:
    marker = f"dipeo-{secrets.token_hex(8)}"
    job = Job(one.language, one.code, there.inputs(marker), timeout=one.seconds)
    began = time.monotonic()
    try:
        result = await sandboxes[one.language].run(job, lambda _: None)
        said = f"={result.value}" if len(str(result.value)) < 1000 else "=much"
        said += GOT_OUT if GOT_OUT in result.stdout else ""
    except NodeError as error:
        said = f"{error}"
        said += GOT_OUT if GOT_OUT in (error.details or "") else ""
    return Ended(said, time.monotonic() - began, processes(marker), [])


async def all_attacks(name: str, folder: Path) -> dict[str, Ended]:
    sandboxes = {}
    for language, limits in (("python", LIMITS), ("javascript", OF_NODE), ("bash", LIMITS)):
        tier = tier_named(name, limits)
        assert not isinstance(tier, str)
        sandboxes[language] = ProcessSandbox(limits, walls=One(tier))  # type: ignore[arg-type]
    places = asyncio.Semaphore(AT_ONCE)

    async def play(number: int, one: Attack) -> Ended:
        async with places:
            (folder / str(number)).mkdir()
            with world(folder / str(number)) as there:
                ended = await attack(sandboxes, one, there)
                ended.damage = there.damage()
                return ended

    attacks = [each for played, each in PLAYED if played == name]
    ended = await asyncio.gather(*(play(number, one) for number, one in enumerate(attacks)))
    return dict(zip((one.name for one in attacks), ended, strict=True))


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """All attacks are played once for each kind of walls, several at a time."""
    known: dict[str, dict[str, Ended]] = {}

    def of(name: str) -> dict[str, Ended]:
        if name not in known:
            if isinstance(why := tier_named(name, LIMITS), str):
                pytest.skip(f"{name}: {why}")
            if (reason := asyncio.run(trouble(why, Limits()))) is not None:
                pytest.skip(f"{name}: {reason}")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(CANARY_NAME, "the server's")
                known[name] = asyncio.run(all_attacks(name, tmp_path_factory.mktemp("w")))
        return known[name]

    return of


@pytest.mark.parametrize(("name", "one"), PLAYED, ids=lambda each: getattr(each, "name", each))
def test_code_does_not_get_out(played, name, one):
    if name != "deno" and one.language == "javascript" and shutil.which("node") is None:
        pytest.skip("Node.js is not installed")

    ended = played(name)[one.name]

    assert ended.seconds <= one.seconds + BEYOND
    assert ended.left == ended.damage == []
    assert "secret-" not in ended.said
    assert name.split()[0] in one.shows or GOT_OUT not in ended.said
    ends = IN_DENO.get(one.name, one.ends) if name == "deno" else one.ends
    assert ends in ended.said


@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_the_server_stays_as_small_as_it_was(played, name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    played(name)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    assert after - before < GROWTH


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 120
    assert len({each.name for each in ATTACKS}) == len(ATTACKS)


def test_walls_that_do_not_hold_are_found_out(tmp_path):
    """A program that forgets what it was told, and one that fails."""
    forgetful = tmp_path / "bwrap"
    forgetful.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such thing here >&2; exit 1\n")
    for each in (forgetful, broken):
        each.chmod(0o755)

    reasons = [
        asyncio.run(trouble(Bubblewrap(str(each), (), Limits()), Limits()))
        for each in (forgetful, broken)
    ]

    assert re.search("did not keep a job from .*a connection, an odd socket", str(reasons[0]))
    assert reasons[1] == "no such thing here"
