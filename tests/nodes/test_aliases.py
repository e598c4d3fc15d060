"""Names of types, properties and values in older files: read, or refused with what to write."""

from __future__ import annotations

import pytest

from dipeo_jupyter.diagram.model import Diagram, NodeSpec, Person
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.nodes.person_batch_job import PersonBatchJob
from dipeo_jupyter.nodes.person_job import PersonJob

TYPES = load_node_types()
NEEDED = {
    "start": {},
    "condition": {"expression": "1 < 2"},
    "job": {"code": "return 1"},
    "person_job": {"person": "P", "prompt": "hi"},
    "person_batch_job": {"person": "P", "prompt": "hi"},
    "db": {"file": "a.json"},
    "endpoint": {},
    "user_response": {"prompt": "?"},
    "notion": {"operation": "read_page", "page_id": "p"},
    "api_job": {"url": "https://example.org"},
    "hook": {"command": "true"},
    "template_job": {"template_content": "x"},
    "json_schema_validator": {"json_schema": {}},
    "diff_patch": {},
}


def looked_at(node_type, props):
    spec = NodeSpec(label="a", type=node_type, props=props)
    program, problems = examine(Diagram(nodes=(spec,), persons={"P": Person()}), TYPES)
    return program and program.nodes[0], [x for x in problems if x.severity == "error"]


def built(node_type, props):
    node, errors = looked_at(node_type, props)
    assert not errors
    return node


# Types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("code_job", "job"),
        ("codeJob", "job"),
        ("llm", "person_job"),
        ("agent", "person_job"),
        ("person", "person_job"),
        ("PERSON_JOB", "person_job"),
        ("PersonJob", "person_job"),
        ("personjob", "person_job"),
        ("person-job", "person_job"),
        ("Person Job", "person_job"),
        ("personBatchJob", "person_batch_job"),
        ("if", "condition"),
        ("branch", "condition"),
        ("Condition", "condition"),
        ("end", "endpoint"),
        ("finish", "endpoint"),
        ("END_POINT", "endpoint"),
        ("userResponse", "user_response"),
        ("DB", "db"),
        ("START", "start"),
        ("Notion", "notion"),
        ("apiJob", "api_job"),
        ("HOOK", "hook"),
        ("templateJob", "template_job"),
        ("jsonSchemaValidator", "json_schema_validator"),
        ("DiffPatch", "diff_patch"),
    ],
)
def test_a_type_is_known_by_all_its_names(written, meant):
    assert type(built(written, NEEDED[meant])) is TYPES[meant]


# Properties ---------------------------------------------------------------------------------------

READ = [
    ("start", {"initialData": '{"a": 1}'}, "custom_data", {"a": 1}),
    ("start", {"initial_data": {"a": 1}}, "custom_data", {"a": 1}),
    ("start", {"customData": 3}, "custom_data", 3),
    ("start", {"data": "tea"}, "custom_data", "tea"),
    ("condition", {"conditionType": "custom"}, "condition_type", "custom"),
    (
        "condition",
        {"condition_type": "check_nodes_executed", "nodeIndices": ["a"]},
        "node_indices",
        ("a",),
    ),
    (
        "condition",
        {"condition_type": "check_nodes_executed", "nodes": ["a"]},
        "node_indices",
        ("a",),
    ),
    ("condition", {"exposeIndexAs": "i"}, "expose_index_as", "i"),
    ("job", {"code_type": "bash"}, "language", "bash"),
    ("job", {"codeType": "shell"}, "language", "bash"),
    ("job", {"code_type": "bash", "language": "bash"}, "language", "bash"),
    ("job", {"code": None, "filePath": "a.py"}, "file_path", "a.py"),
    ("job", {"code": None, "codeFile": "a.py"}, "file_path", "a.py"),
    ("job", {"code": None, "code_file": "a.py"}, "file_path", "a.py"),
    ("job", {"code": None, "sourceDetails": "a.py"}, "file_path", "a.py"),
    ("job", {"code": None, "source_details": "a.py", "code_type": "file"}, "language", None),
    ("job", {"functionName": "main"}, "function_name", "main"),
    ("person_job", {"person": None, "personId": "P"}, "person", "P"),
    ("person_job", {"person": None, "person_id": "P"}, "person", "P"),
    ("person_job", {"defaultPrompt": "on"}, "default_prompt", "on"),
    ("person_job", {"firstOnlyPrompt": "one"}, "first_only_prompt", "one"),
    ("person_job", {"promptFile": "a.md"}, "prompt_file", "a.md"),
    ("person_job", {"firstPromptFile": "a.md"}, "first_prompt_file", "a.md"),
    ("person_job", {"maxIteration": 3}, "max_iteration", 3),
    ("person_job", {"max_iterations": 3}, "max_iteration", 3),
    ("person_job", {"memorize_to": "goldfish"}, "memory", "GOLDFISH"),
    ("person_job", {"memorizeTo": "ALL_MESSAGES"}, "memory", "ALL_MESSAGES"),
    ("person_job", {"contextCleaningRule": "on_every_turn"}, "memory", "GOLDFISH"),
    ("person_job", {"context_cleaning_rule": "no_forget"}, "memory", "ALL_INVOLVED"),
    ("person_job", {"forgettingMode": "upon_request"}, "memory", "SENT_TO_ME"),
    ("person_job", {"forgetting_mode": "on_every_turn"}, "memory", "GOLDFISH"),
    ("person_job", {"forget_mode": "on_every_turn"}, "memory", "GOLDFISH"),
    ("person_job", {"memory_config": {"forget_mode": "on_every_turn"}}, "memory", "GOLDFISH"),
    ("person_job", {"memoryConfig": {"forgetMode": "on_every_turn"}}, "memory", "GOLDFISH"),
    ("person_job", {"memory_settings": {"view": "sent_by_me"}}, "memory", "SENT_BY_ME"),
    ("person_job", {"memorySettings": {"max_messages": 4}}, "at_most", 4),
    ("person_job", {"memory_profile": "FULL"}, "memory", "ALL_MESSAGES"),
    ("person_job", {"memoryProfile": "FOCUSED"}, "memory", "CONVERSATION_PAIRS"),
    ("person_job", {"memory_profile": "MINIMAL"}, "memory", "SYSTEM_AND_ME"),
    ("person_job", {"memory_profile": "GOLDFISH"}, "memory", "GOLDFISH"),
    ("person_job", {"memory_profile": "ONLY_ME"}, "memory", "SENT_TO_ME"),
    ("person_job", {"memory_profile": "ONLY_I_SENT"}, "memory", "SENT_BY_ME"),
    (
        "person_job",
        {"memory_profile": "CUSTOM", "memory_settings": {"view": "sent_to_me"}},
        "memory",
        "SENT_TO_ME",
    ),
    ("person_job", {"max_messages": 4}, "at_most", 4),
    ("person_job", {"maxMessages": 4}, "at_most", 4),
    ("person_job", {"atMost": 4}, "at_most", 4),
    ("person_job", {"ignorePerson": "P, "}, "ignore_person", ("P",)),
    ("person_batch_job", {"over": "rows"}, "items", "rows"),
    ("person_batch_job", {"batchInputKey": "rows"}, "items", "rows"),
    ("person_batch_job", {"maxConcurrent": 2}, "max_concurrency", 2),
    ("person_batch_job", {"parallelProcessing": False}, "parallel", False),
    ("db", {"subType": "fixed_prompt"}, "sub_type", "fixed_prompt"),
    ("db", {"file": None, "source_details": "b"}, "file", "b"),
    ("db", {"file": None, "sourceDetails": ["b", "c"]}, "file", ("b", "c")),
    ("db", {"file": None, "file_path": "b"}, "file", "b"),
    ("db", {"file": None, "filePath": "b"}, "file", "b"),
    ("db", {"serializeJson": True}, "serialize_json", True),
    ("db", {"operation": "write", "serialize_json": True}, "serialize_json", True),
    ("db", {"operation": "write", "content": "x"}, "data", "x"),
    ("db", {"format": "md"}, "format", "markdown"),
    ("db", {"format": ".YML"}, "format", "yaml"),
    ("endpoint", {"saveToFile": True}, "save_to_file", True),
    ("endpoint", {"file_name": "a"}, "file_path", "a"),
    ("endpoint", {"fileName": "a"}, "file_path", "a"),
    ("endpoint", {"filePath": "a"}, "file_path", "a"),
    ("endpoint", {"fileFormat": "txt"}, "file_format", "text"),
    ("endpoint", {"file_format": "md"}, "file_format", "markdown"),
    ("endpoint", {"file_format": ""}, "file_format", None),
    ("endpoint", {"contentFormat": "{{default}}"}, "content_format", "{{default}}"),
    ("user_response", {"options": ["a"]}, "choices", ("a",)),
    ("notion", {"page_id": None, "pageId": "p"}, "page_id", "p"),
    ("notion", {"blockId": "b"}, "block_id", "b"),
    ("notion", {"databaseId": "d"}, "database_id", "d"),
    ("notion", {"blockData": '{"a": 1}'}, "block_data", {"a": 1}),
    ("notion", {"parentConfig": {"page_id": "p"}}, "parent", {"page_id": "p"}),
    ("notion", {"pageProperties": {}}, "properties", {}),
]


@pytest.mark.parametrize(("node_type", "props", "field", "value"), READ)
def test_an_older_name_means_the_present_one(node_type, props, field, value):
    given = {name: each for name, each in (NEEDED[node_type] | props).items() if each is not None}
    assert value == getattr(built(node_type, given), field)


@pytest.mark.parametrize(
    ("node_type", "props"),
    [
        ("start", {"trigger_mode": "manual", "output_data_structure": {}, "hook_event": "x"}),
        ("condition", {"skippable": True, "memorize_to": "x", "at_most": 3, "judge_by": "x"}),
        ("job", {"tool": "Grep", "description": "why", "flipped": [True, False]}),
        ("person_job", {"tools": "none", "interactive": False, "text_format": ""}),
        ("person_job", {"tools": [{"type": "none", "enabled": True}]}),
        ("person_job", {"batch": False, "batch_input_key": "items", "max_concurrent": 10}),
        ("person_batch_job", {"batch_size": 5, "aggregationMethod": "concatenate", "batch": True}),
        ("person_batch_job", {"batchPrompt": "x", "customAggregationPrompt": "y"}),
        ("db", {"collection": None, "query": ""}),
        ("endpoint", {"custom_data": {}, "id": "node_3"}),
        ("notion", {"apiKeyId": "k", "api_key_id": "k"}),
    ],
)
def test_what_never_had_an_effect_changes_nothing(node_type, props):
    assert built(node_type, NEEDED[node_type]) == built(
        node_type, NEEDED[node_type] | props
    ).model_copy(update={"description": None})


@pytest.mark.parametrize(
    ("node_type", "props", "field", "hint"),
    [
        ("start", {"trigger_mode": "hook"}, "trigger_mode", "start the run with the event's data"),
        ("person_job", {"interactive": True}, "interactive", "`user_response` in front"),
        ("person_job", {"tools": [{"type": "bash"}]}, "tools", "no tool of the type"),
        ("person_job", {"tools": [{"functoin": "a"}]}, "tools", "Did you mean 'function'?"),
        ("person_job", {"tools": [{"function": "a", "mcp": "b"}]}, "tools", "a tool has one of"),
        ("person_job", {"tools": "a b"}, "tools", "names no tool: write a function's name"),
        ("person_job", {"text_format": "class R"}, "text_format", "as `output_schema`"),
        ("person_job", {"text_format_file": "r.py"}, "text_format_file", "`dipeo.schema_of`"),
        ("person_job", {"batch_input_key": "rows"}, "batch_input_key", "add `batch: true`"),
        ("person_batch_job", {"batch": False}, "batch", "write `type: person_job`"),
        ("db", {"database": "sales"}, "database", "name the `collection`"),
        ("condition", {"condition_type": "llm_decision"}, "condition_type", "let a person_job"),
        ("person_job", {"person": {"service": "demo"}}, "person", "the person under `persons:`"),
        ("job", {"language": "typescript"}, "language", "use `language: javascript`"),
        ("db", {"sub_type": "code"}, "sub_type", "use a node of type `job`"),
        ("person_job", {"memorize_to": "matters"}, "memorize_to", "The views are ALL_"),
    ],
)
def test_what_is_not_done_here_says_what_to_write(node_type, props, field, hint):
    _, (error,) = looked_at(node_type, NEEDED[node_type] | props)
    code = "unsupported_property" if field in TYPES[node_type].refused else "bad_property"
    assert (code, ("nodes", "a", field)) == (error.code, error.path)
    assert hint in str(error)


def test_two_names_with_different_values_are_refused():
    _, (error,) = looked_at("job", {"code": "1", "language": "python", "code_type": "bash"})
    assert "another name for the same" in error.message


# One implementation for lists ---------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "form"), [(True, PersonBatchJob), (False, PersonJob)])
def test_batch_decides_which_form_a_person_job_has(batch, form):
    assert type(built("person_job", NEEDED["person_job"] | {"batch": batch})) is form


@pytest.mark.parametrize("name", sorted({each.type for each in TYPES.values()}))
def test_the_example_of_a_node_type_is_right(name):
    example = TYPES[name].example
    person = {"person": "P"} if "person" in example else {}
    built(name, {**example, **person})
