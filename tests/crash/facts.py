"""What a trial leaves behind: in the journal, in the folder, and with the provider."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import reading

Entries = Sequence[e.Entry]


@dataclass(frozen=True)
class Kept:
    """The journal as it stands in the file. Runs are called `0`, `1`, parts of them `0/sub[1]`."""

    runs: Mapping[str, Entries]
    statuses: Mapping[str, str]
    faults: Sequence[str]

    @property
    def waiting(self) -> int:
        """How many questions are open."""
        asked = Counter[tuple[str, str]]()
        for number, entry in _numbered(self.runs):
            match entry.event:
                case e.InputRequired(node=node):
                    asked[number, node] = 1
                case e.InputReceived(node=node) | e.NodeFailed(node=node):
                    asked[number, node] = 0
                case _:
                    pass
        return sum(asked.values())


def kept(folder: Path) -> Kept:
    """Read the journal; a file that is not there holds nothing."""
    path = folder / "home/journal.db"
    if not path.exists() or not path.stat().st_size:
        return Kept({}, {}, [])
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return Kept({}, {}, [])
        records = list(reversed(reading.runs(connection, "", lambda owner: owner)))
        tops = [each.execution_id for each in records if each.parent is None]
        runs, statuses = {}, {}
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
        faults = [] if sound == "ok" else [sound]
        for record in records:
            top, slash, path = record.execution_id.partition("/")
            name = f"{tops.index(top)}{slash}{path}"
            entries = reading.entries(connection, record.execution_id, 0)
            runs[name], statuses[name] = entries, record.status
            if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
                faults.append(f"gaps in {record.execution_id}")
            if record.events != len(entries):
                faults.append(f"{record.events} entries noted, {len(entries)} are there")
    return Kept(runs, statuses, faults)


def in_flight(runs: Mapping[str, Entries]) -> tuple[Counter[str], Counter[str]]:
    """The effects that have begun and not ended, by their key and by their node."""
    begun: dict[tuple[str, str, str], e.EffectStarted] = {}
    for number, entry in _numbered(runs):
        match entry.event:
            case e.EffectStarted(node=node, effect=name) as event:
                begun[number, node, name] = event
            case e.EffectCompleted(node=node, effect=name):
                begun.pop((number, node, name), None)
            case e.NodeCompleted(node=node) | e.NodeFailed(node=node):
                begun = {at: each for at, each in begun.items() if at[:2] != (number, node)}
            case e.ExecutionEdited():
                begun = {at: each for at, each in begun.items() if at[0] != number}
            case _:
                pass
    events = begun.values()
    return Counter(each.key for each in events), Counter(each.node for each in events)


@dataclass(frozen=True)
class World:
    """What has come of a trial, apart from when and in which order it did."""

    statuses: Mapping[str, str]
    results: Mapping[str, Mapping[str, Any]]
    """For each run, what each activation has given, said, heard and cost in the end."""
    happened: Counter[tuple[Any, ...]]
    """How often things became so that may do so once: ends, effects, questions, answers."""
    files: Mapping[str, str]


def world(journal: Kept, folder: Path) -> World:
    # What is in collections is read by the runs themselves.
    files = (path for path in (folder / "root").rglob("*") if _is_text(path))
    return World(
        statuses=journal.statuses,
        results={name: _results(entries) for name, entries in journal.runs.items()},
        happened=Counter(
            (number, *name)
            for number, entry in _numbered(journal.runs)
            if (name := _once(entry.event))
        ),
        # A file that was being written when the process died has another name still.
        files={path.name: path.read_text() for path in files if path.suffix != ".tmp"},
    )


def _is_text(path: Path) -> bool:
    return path.is_file() and ".dipeo" not in path.parts


def _results(entries: Entries) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        match entry.event:
            case e.ExecutionEdited():
                found = {}
            case e.NodeCompleted() as done:
                value = (done.outputs, done.person, done.messages, done.seen, done.usage)
                found[f"{done.node}[{done.activation}]"] = (*value, done.cached)
            case e.NodeFailed() as failed:
                found[f"{failed.node}[{failed.activation}]"] = (failed.outputs, failed.error.type)
            case e.ExecutionCompleted(outputs=outputs):
                found["outputs"] = outputs
            case e.ExecutionFailed(error=error):
                found["error"] = error.type, error.node
            case _:
                pass
    return found


def _once(event: e.AnyEvent) -> tuple[Any, ...] | None:
    match event:
        case e.EffectCompleted():
            return event.type, event.node, event.activation, event.effect, event.reused
        case e.NodeCompleted() | e.NodeFailed() | e.InputRequired() | e.InputReceived():
            return event.type, event.node, event.activation
        case e.ExecutionCompleted() | e.ExecutionFailed() | e.ExecutionEdited():
            return (event.type,)
        case _:
            return None


def _numbered(runs: Mapping[str, Entries]) -> Iterable[tuple[str, e.Entry]]:
    return ((name, entry) for name, entries in runs.items() for entry in entries)
