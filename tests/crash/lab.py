"""Trials: a scenario is played in several lives, and compared with one that nobody disturbed."""

from __future__ import annotations

import queue
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import count
from pathlib import Path
from typing import TypeVar

from .child import Kill, Life
from .facts import World, in_flight, kept, world
from .figures import Figures
from .nursery import Nursery
from .provider import Provider

T = TypeVar("T")
KILLED = -9
AT_ONCE = 2


@dataclass(frozen=True)
class Undisturbed:
    """How it goes when nothing is killed."""

    writes: int
    world: World
    asked: Counter[str]
    log: Counter[str]


@dataclass
class Trial:
    """One scenario in a folder of its own, with its own models."""

    scenario: str
    folder: Path
    number: str
    kills: int = 0
    begun: Counter[str] = field(default_factory=Counter)
    """Effects in flight at the kills, by key; `working` has them by node."""
    working: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def log(self) -> Counter[str]:
        """What jobs have written into the side log."""
        path = self.folder / "side.log"
        return Counter(path.read_text().splitlines() if path.exists() else [])

    @property
    def writes(self) -> int:
        """How often the last life wrote to the journal."""
        return int((self.folder / "writes").read_text())


class Lab:
    """Plays trials, a few at a time."""

    def __init__(self, provider: Provider, *, litellm: bool = False) -> None:
        self.provider = provider
        self.figures = Figures()
        self._litellm = litellm
        self._undisturbed: dict[str, Undisturbed] = {}
        # A killed process loses nothing that it has handed to the system: no disk is needed.
        memory = Path("/dev/shm")  # noqa: S108 - with a name that nobody can guess
        self._base = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self._numbers = count(1)
        self._nurseries: queue.Queue[Nursery] = queue.Queue()
        for _ in range(AT_ONCE):
            self._nurseries.put(Nursery(litellm=litellm))

    def close(self) -> None:
        while not self._nurseries.empty():
            self._nurseries.get().close()
        shutil.rmtree(self._base)

    def each(self, work: Callable[[T], list[str]], points: Iterable[T]) -> list[str]:
        """Do it for all points, several at a time; return all faults."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [fault for faults in pool.map(work, points) for fault in faults]

    @contextmanager
    def trial(self, scenario: str):
        number = f"{'litellm' if self._litellm else 'own'}{next(self._numbers)}"
        folder = self._base / number
        (folder / "root").mkdir(parents=True)
        yield Trial(scenario, folder, number)
        shutil.rmtree(folder, ignore_errors=True)  # a job that outlived its run may write there

    def live(self, trial: Trial, kill: Kill | None = None, die_when: str | None = None) -> bool:
        """One life; whether it was killed. A fault is noted when it ended in another way."""
        url = f"{self.provider.root}/{trial.number}/v1"
        folder = str(trial.folder)
        life = Life(trial.scenario, folder, url, kill, self._litellm, die_when)
        nursery = self._nurseries.get()
        try:
            code = nursery.raise_one(life.to_json())
        finally:
            self._nurseries.put(nursery)
        if code not in (0, KILLED):
            trial.faults.append(f"a life ended with {code}")
        if code == KILLED:
            trial.kills += 1
            self.note(trial)
        return code == KILLED

    def note(self, trial: Trial) -> None:
        """Note what is in flight now that a life is over: that may be done once more."""
        keys, nodes = in_flight(kept(trial.folder).runs)
        trial.begun += keys
        trial.working += nodes

    def undisturbed(self, scenario: str) -> Undisturbed:
        if scenario not in self._undisturbed:
            with self.trial(scenario) as trial:
                self.live(trial)
                journal = kept(trial.folder)
                assert not trial.faults + list(journal.faults)
                self._undisturbed[scenario] = Undisturbed(
                    trial.writes,
                    world(journal, trial.folder),
                    self.provider.asked(trial.number),
                    trial.log,
                )
        return self._undisturbed[scenario]

    def kill(self, scenario: str, *kills: Kill) -> list[str]:
        """Play it, killed at these points in turn and then to the end; return what is wrong."""
        with self.trial(scenario) as trial:
            for each in kills:
                self.live(trial, each)
            return [f"{scenario} {kills}: {fault}" for fault in self.finish(trial)]

    def finish(self, trial: Trial) -> list[str]:
        """Play it to the end, and compare it with the undisturbed one."""
        self.live(trial)
        figures = Figures(killed=trial.kills, unreached=not trial.kills)
        faults = [*trial.faults, *self._compare(trial, self.undisturbed(trial.scenario), figures)]
        if not faults:
            figures.survived = trial.kills
        self.figures.add(figures)
        return faults

    def _compare(self, trial: Trial, wanted: Undisturbed, figures: Figures) -> list[str]:
        journal = kept(trial.folder)
        found, asked = world(journal, trial.folder), self.provider.asked(trial.number)
        faults = list(journal.faults)
        faults += [
            f"{name}: {_difference(was, should)}"
            for name in (each.name for each in fields(World))
            if (was := getattr(found, name)) != (should := getattr(wanted.world, name))
        ]
        figures.calls = asked.total()
        if self._litellm:  # its keys name the address, and so the trial
            asked, asked_then = Counter({"": asked.total()}), Counter({"": wanted.asked.total()})
            begun = Counter({"": trial.begun.total()})
        else:
            asked_then, begun = wanted.asked, trial.begun
        more, jobs = asked - asked_then, trial.log - wanted.log
        figures.asked_twice = (more & begun).total()
        wrong = {
            "asked again": more - begun,
            "run again": jobs - trial.working,
            "never asked": asked_then - asked,
            "never run": wanted.log - trial.log,
            "became so twice": found.happened - wanted.world.happened,
        }
        figures.repeated = sum(
            wrong[name].total() for name in ("asked again", "run again", "became so twice")
        )
        return faults + [f"{name}: {dict(what)}" for name, what in wrong.items() if what]


def _difference(was: object, should: object) -> str:
    if isinstance(was, Counter) and isinstance(should, Counter):
        return f"too much {dict(was - should)}, too little {dict(should - was)}"
    if isinstance(was, dict) and isinstance(should, dict):
        names = [x for x in {**was, **should} if was.get(x) != should.get(x)]
        return "; ".join(f"{x}: {_difference(was.get(x), should.get(x))}" for x in names)
    return f"{was!r} instead of {should!r}"
