"""Why an activation went another way, in a few words. Each is given at least one change."""

from __future__ import annotations

from collections.abc import Sequence

from ...diagram.diff import ABSENT, Change
from ...diagram.diffing.wording import key_path, say, shown

FEW = 3
"""So many names are listed before it is `and 2 more`."""
LINE = 160
"""Letters of an error or of a stretch of text that are shown."""


def of_definition(changes: Sequence[Change]) -> str:
    """`the prompt was changed`, `the prompt and the model of Judge were changed`."""
    first = changes[0]
    if first.kind in {"node_added", "node_removed"}:
        return f"the node was {first.kind.removeprefix('node_')}"
    if len(changes) > 1:
        return f"{_listed([_setting(each) for each in changes])} were changed"
    verb = "added" if first.before is ABSENT else "removed" if first.after is ABSENT else "changed"
    return f"{_setting(first)} was {verb}"


def of_inputs(changes: Sequence[Change]) -> str:
    """`its input topic differs`, `its inputs a and b differ`."""
    names = [key_path(change.path[1:]) for change in changes]
    if len(changes) > 1:
        return f"its inputs {_listed(names)} differ"
    if changes[0].before is ABSENT:
        return f"its input {names[0]} is new"
    return f"its input {names[0]} " + ("is missing" if changes[0].after is ABSENT else "differs")


def of_seen(changes: Sequence[Change], name: str) -> str:
    """`saw another text of argue[1]`; what others said counts for more than the own prompt."""
    if len(changes[0].path) == 1:
        return "saw the same messages in another order"
    others = [each for each in changes if not _speaker(each).startswith(f"{name}.")]
    changed = [each for each in others if ABSENT not in (each.before, each.after)]
    added = [each for each in others if each.before is ABSENT]
    if changed:
        return f"saw another text of {_speakers(changed)}"
    if added:
        return f"saw {_speakers(added)} too"
    return f"did not see {_speakers(others)}" if others else "was asked something else"


def of_output(changes: Sequence[Change]) -> str:
    """`took condfalse instead of condtrue`, or only that the output is another one."""
    for change in changes:
        if change.path == ("handle",):
            return f"took {shown(change.after)} instead of {shown(change.before)}"
    return "gave another output"


def of_error(change: Change) -> str:
    """`failed: ` and the error's own words."""
    if change.after is ABSENT:
        return "did not fail any more"
    how = "failed" if change.before is ABSENT else "failed in another way"
    message = say(str(change.after))
    return f"{how}: {message if len(message) <= LINE else message[: LINE - 1] + '…'}"


def of_ending(change: Change) -> str:
    """`is cancelled, was completed`."""
    return f"is {change.after}, was {change.before}"


def _setting(change: Change) -> str:
    person = f" of {say(change.subject)}" if change.kind == "person_field_changed" else ""
    return f"the {key_path(change.path)}{person}"


def _speaker(change: Change) -> str:
    return str(change.path[1])


def _speakers(changes: Sequence[Change]) -> str:
    """The activations that said it, each once: `argue[1].0` is of `argue[1]`."""
    ids = [_speaker(each) for each in changes]
    names = [f"{each.rpartition(']')[0]}]" if "]" in each else each for each in ids]
    return _listed([say(each) for each in dict.fromkeys(names)])


def _listed(names: Sequence[str]) -> str:
    if len(names) > FEW:
        return f"{', '.join(names[:FEW])} and {len(names) - FEW} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
