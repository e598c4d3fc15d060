"""The files that are made of the protocol are those that it makes today."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from dipeo_jupyter.protocol.events import event_adapter
from dipeo_jupyter.protocol.requests import KNOWN
from dipeo_jupyter.protocol.schema import files, json_schema, main
from dipeo_jupyter.protocol.wire import frame_of_entry
from tests.golden.test_golden import FILES, entries_of

FOLDER = Path(__file__).parents[2] / "labextension" / "src" / "protocol"


@pytest.mark.parametrize(("name", "text"), files().items())
def test_the_types_of_the_front_end_are_fresh(name, text):
    assert (FOLDER / name).read_text(encoding="utf-8") == text, (
        "stale: python -m dipeo_jupyter.protocol.schema labextension/src/protocol"
    )


def test_both_files_are_written_by_one_command(tmp_path):
    main(str(tmp_path))

    assert {path.name for path in tmp_path.iterdir()} == set(files())


def test_every_command_and_event_is_in_the_schema():
    defined = json_schema()["$defs"]
    events = event_adapter.json_schema()["discriminator"]["mapping"]

    assert set(defined["Command"]["discriminator"]["mapping"]) == set(KNOWN)
    assert set(defined["AnyEvent"]["discriminator"]["mapping"]) == set(events)


def test_nothing_in_the_schema_refers_to_nowhere():
    schema = json_schema()
    text = json.dumps(schema)

    for part in text.split('"#/$defs/')[1:]:
        assert part.partition('"')[0] in schema["$defs"]


def test_the_schema_takes_what_the_server_takes():
    check = jsonschema.Draft202012Validator(json_schema())

    check.validate({"type": "execute_diagram", "diagram": "version: light\n"})
    check.validate({"type": "execute_diagram", "diagram": {"nodes": {}}})
    with pytest.raises(jsonschema.ValidationError):
        check.validate({"type": "step_execution", "execution_id": "exec_1", "steps": 0})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_knows_all_events_of_journals_that_were_kept(file):
    schema = json_schema()
    check = jsonschema.Draft202012Validator({**schema, "anyOf": [{"$ref": "#/$defs/AnyEvent"}]})

    for entry in entries_of(file):
        frame = json.loads(frame_of_entry(entry))
        check.validate({"type": frame["type"], **frame["payload"]})
