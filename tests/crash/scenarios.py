"""What is run and killed: diagrams, and what people do with their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeAlias

from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.protocol.events import Breakpoint


@dataclass(frozen=True)
class Run:
    """Execute the diagram, and go on whenever the run is paused."""

    fresh: bool = False
    breakpoints: tuple[Breakpoint, ...] = ()


@dataclass(frozen=True)
class Edit:
    """Put something else in the place of a text of the diagram, in the run there is."""

    old: str
    new: str
    values: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = False


@dataclass(frozen=True)
class Fork:
    """A new run with the past of the first one."""

    at: tuple[str, ...] = ()
    old: str = ""
    new: str = ""


Stage: TypeAlias = Run | Edit | Fork


@dataclass(frozen=True)
class Scenario:
    """`LOG` in the text stands for the side log of jobs. `silent` nodes get no answer.

    What nobody knows of whether it was done, people have done (again), or `unknown: done` leave.

    When the run fails, people make the file `fixed` and resume it, `repairs` times.
    """

    name: str
    text: str
    stages: tuple[Stage, ...] = (Run(),)
    silent: tuple[str, ...] = ()
    repairs: int = 0
    unknown: str = "repeat"

    def diagram(self, log: Path, stage: Stage | None = None) -> Diagram:
        text = self.text
        if isinstance(stage, Edit | Fork) and stage.old:
            assert stage.old in text, stage
            text = text.replace(stage.old, stage.new)
        return light.loads(text.replace("LOG", str(log)))


PERSONS = """
persons:
  A: {service: openai, model: a, system_prompt: You are A.}
  B: {service: openai, model: b, system_prompt: You are B.}
  C: {service: openai, model: c}
"""
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str, text: str, *stages: Stage, **more: Any) -> None:
    """Add one to the list; its persons are A, B and C."""
    text = dedent(text).strip("\n") + PERSONS
    SCENARIOS[name] = Scenario(name, text, stages or (Run(),), **more)


def log_line(line: str, value: str = "1") -> str:
    """The code of a job that leaves a trace outside, and gives a value."""
    return f"open('LOG', 'a').write('{line}\\\\n'); return {value}"


CHAIN = """
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: draft, type: person_job, person: A, prompt: "Write about {{topic}}"}
- {label: review, type: person_job, person: B, prompt: "Review {{default}}"}
- {label: final, type: person_job, person: A, prompt: "Improve by {{default}}"}
- {label: end, type: endpoint}
edges: [start -> draft -> review -> final -> end]
"""
DEBATE = """
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: for, type: person_job, person: A, prompt: "For {{topic}}", max_iteration: 3}
- {label: against, type: person_job, person: B, prompt: "Against {{for}}", max_iteration: 3}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: verdict, type: person_job, person: C, memory: ALL_MESSAGES, prompt: "Who was right?"}
- {label: end, type: endpoint, save_to_file: true, file_path: verdict.txt}
edges:
- start -> for -> against -> enough
- enough[condfalse] -> for
- enough[condtrue] -> verdict -> end
"""
scenario("chain", CHAIN)
scenario("debate", DEBATE)
scenario(
    "nested_loops",
    """
    nodes:
    - {label: start, type: start}
    - {label: outer, type: person_job, person: A, prompt: out, max_iteration: 2}
    - {label: inner, type: person_job, person: B, prompt: in, max_iteration: 2}
    - {label: inner done, type: condition, expression: "iterations('inner') >= 2"}
    - {label: outer done, type: condition, expression: "iterations('outer') >= 2"}
    - {label: end, type: endpoint}
    edges:
    - start -> outer -> inner -> inner done
    - inner done[condfalse] -> inner
    - inner done[condtrue] -> outer done
    - outer done[condfalse] -> outer
    - outer done[condtrue] -> end
    """,
)
scenario(
    "first_handle",
    """
    nodes:
    - {label: start, type: start, custom_data: {topic: tea}}
    - label: write
      type: person_job
      person: A
      first_only_prompt: "Begin {{default.topic}}"
      default_prompt: "Improve {{default}}"
      max_iteration: 3
    - {label: judge, type: person_job, person: B, prompt: "Judge {{write}}", max_iteration: 3}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: end, type: endpoint}
    edges:
    - start -> write[first]
    - write -> judge -> enough
    - enough[condfalse] -> write
    - enough[condtrue] -> end
    """,
)
scenario(
    "parallel_branches",
    """
    nodes:
    - {label: start, type: start}
    - {label: a, type: person_job, person: A, prompt: one}
    - {label: b, type: person_job, person: B, prompt: two}
    - {label: c, type: person_job, person: C, prompt: three}
    - {label: d, type: person_job, person: A, prompt: "four {{default}}"}
    - {label: end a, type: endpoint}
    - {label: end b, type: endpoint}
    - {label: end c, type: endpoint}
    edges: [start -> a -> d -> end a, start -> b -> end b, start -> c -> end c]
    """,
)
DIAMOND = """
nodes:
- {label: start, type: start}
- {label: left, type: person_job, person: A, prompt: left}
- {label: right, type: person_job, person: B, prompt: right}
- {label: join, type: person_job, person: C, memory: ALL_MESSAGES, prompt: "{{left}} {{right}}"}
- {label: end, type: endpoint}
edges: [start -> left -> join -> end, start -> right -> join]
"""
scenario("diamond", DIAMOND)
scenario(
    "join_any",
    f"""
    nodes:
    - {{label: start, type: start}}
    - {{label: yes, type: person_job, person: A, prompt: left}}
    - {{label: fork, type: condition, expression: 1 > 2}}
    - {{label: no, type: job, code: "{log_line("never")}"}}
    - {{label: join, type: person_job, join: any, person: C, prompt: go}}
    - {{label: end, type: endpoint}}
    edges: [start -> yes -> join -> end, start -> fork, "fork[condtrue] -> no -> join"]
    """,
)
ROWS = [f"row {n}{' [refused]' if n in (3, 11) else ''}" for n in range(20)]
scenario(
    "batch_of_20",
    f"""
    nodes:
    - {{label: start, type: start, custom_data: {{rows: {ROWS}}}}}
    - label: ask
      type: person_batch_job
      person: C
      items: rows
      prompt: "{{{{index}}}} {{{{item}}}}"
      partial: true
      max_concurrency: 4
    - {{label: end, type: endpoint, save_to_file: true, file_path: answers.json}}
    edges: [start -> ask -> end]
    """,
)
HUMAN = """
nodes:
- {label: start, type: start}
- {label: draft, type: person_job, person: A, prompt: draft}
- {label: approve, type: user_response, prompt: "Good? {{default}}"}
- {label: use, type: person_job, person: B, prompt: "They said {{default}}"}
- {label: end, type: endpoint}
edges: [start -> draft -> approve -> use -> end]
"""
scenario("human", HUMAN)
scenario(
    "human_in_loop",
    """
    nodes:
    - {label: start, type: start}
    - {label: draft, type: person_job, person: A, prompt: "draft {{default}}", max_iteration: 3}
    - {label: comment, type: user_response, prompt: "What about {{default}}?", max_iteration: 3}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: end, type: endpoint}
    edges:
    - start -> draft -> comment -> enough
    - enough[condfalse] -> draft
    - enough[condtrue] -> end
    """,
)
scenario(
    "two_humans",
    """
    nodes:
    - {label: start, type: start}
    - {label: one, type: user_response, prompt: First?, choices: [one-1, other]}
    - {label: two, type: user_response, prompt: Second?}
    - {label: both, type: person_job, person: A, prompt: "{{one}} and {{two}}"}
    - {label: end, type: endpoint}
    edges: [start -> one -> both -> end, start -> two -> both]
    """,
)
scenario(
    "failing_then_resumed",
    f"""
    nodes:
    - {{label: start, type: start}}
    - {{label: before, type: person_job, person: A, prompt: before}}
    - label: shaky
      type: job
      code: |
        import os
        open('LOG', 'a').write('shaky\\n')
        assert os.path.exists('LOG'.replace('side.log', 'root/fixed')), 'not fixed'
        return 'fine'
    - {{label: beside, type: job, code: "{log_line("beside")}"}}
    - {{label: after, type: person_job, person: B, prompt: "{{{{shaky}}}}"}}
    - {{label: end, type: endpoint}}
    edges: [start -> before -> shaky -> after -> end, before -> beside -> after]
    """,
    repairs=1,
)
scenario(
    "failing_for_good",
    """
    nodes:
    - {label: start, type: start}
    - {label: before, type: person_job, person: A, prompt: before}
    - {label: bad, type: person_job, person: B, prompt: "[refused] {{default}}"}
    - {label: end, type: endpoint}
    edges: [start -> before -> bad -> end]
    """,
)
scenario(
    "retry",
    """
    nodes:
    - {label: start, type: start}
    - label: shaky
      type: person_job
      person: A
      prompt: "[breaks first]"
      retry: {max_attempts: 3, initial_interval: 0.001, jitter: false}
    - {label: after, type: person_job, person: B, prompt: "{{default}}"}
    - {label: end, type: endpoint}
    edges: [start -> shaky -> after -> end]
    """,
)
scenario(
    "on_error_continue",
    """
    nodes:
    - {label: start, type: start}
    - {label: bad, type: person_job, person: A, prompt: "[refused]", on_error: continue}
    - {label: good, type: person_job, person: B, prompt: good}
    - {label: join, type: person_job, person: C, prompt: go}
    - {label: end, type: endpoint}
    edges: [start -> bad -> join -> end, start -> good -> join]
    """,
)
scenario(
    "on_error_default",
    """
    nodes:
    - {label: start, type: start}
    - {label: bad, type: person_job, person: A, prompt: "[refused]", on_error: {default: nothing}}
    - {label: after, type: person_job, person: C, prompt: "{{default}}"}
    - {label: end, type: endpoint}
    edges: [start -> bad -> after -> end]
    """,
)
scenario(
    "on_error_edge",
    f"""
    nodes:
    - {{label: start, type: start}}
    - {{label: bad, type: job, code: "open('LOG', 'a').write('bad\\\\n'); 1 / 0", on_error: edge}}
    - {{label: rescue, type: job, code: "{log_line("rescue", "default")}"}}
    - {{label: never, type: person_job, person: C, prompt: never}}
    - {{label: end, type: endpoint}}
    edges: [start -> bad -> never -> end, "bad[error] -> rescue -> end"]
    """,
)
scenario(
    "jobs",
    f"""
    nodes:
    - {{label: start, type: start, custom_data: {{n: 3}}}}
    - {{label: py, type: job, code: "{log_line("py", "n + 1")}"}}
    - {{label: sh, type: job, language: bash, code: "echo sh >> LOG; echo $INPUT_n"}}
    - {{label: join, type: job, code: "{log_line("join", "[py, sh]")}"}}
    - {{label: end, type: endpoint}}
    edges: [start -> py -> join -> end, start -> sh -> join]
    """,
)
scenario(
    "pure_job",
    f"""
    nodes:
    - {{label: start, type: start, custom_data: {{n: 3}}}}
    - {{label: pure, type: job, pure: true, code: "{log_line("pure", "n + 1")}"}}
    - {{label: impure, type: job, code: "{log_line("impure", "default + 1")}"}}
    - {{label: end, type: endpoint}}
    edges: [start -> pure -> impure -> end]
    """,
    Run(),
    Run(),
)
scenario(
    "db_write",
    """
    nodes:
    - {label: start, type: start, custom_data: {topic: tea}}
    - {label: say, type: person_job, person: A, prompt: "{{topic}}"}
    - {label: save, type: db, operation: write, file: "out/{{topic}}.txt"}
    - {label: read, type: db, file: "out/tea.txt"}
    - {label: end, type: endpoint}
    edges: [start -> say -> save -> read -> end]
    """,
)
scenario(
    "db_collections",
    """
    nodes:
    - {label: start, type: start, custom_data: {topic: tea}}
    - {label: say, type: person_job, person: A, prompt: "Say {{topic}}", max_iteration: 3}
    - {label: note, type: db, operation: insert, collection: notes, data: {said: "{{say}}"}}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: read, type: db, query: "SELECT count(*) AS n, min(said) AS first FROM notes"}
    - {label: end, type: endpoint}
    edges:
    - start -> say -> note -> enough
    - enough[condfalse] -> say
    - enough[condtrue] -> read -> end
    """,
)
scenario(
    "db_append_in_loop",
    """
    nodes:
    - {label: start, type: start}
    - {label: say, type: person_job, person: A, prompt: again, max_iteration: 3}
    - {label: note, type: db, operation: append, file: notes.txt, data: "- {{say}}"}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: read, type: db, file: notes.txt}
    - {label: end, type: endpoint}
    edges:
    - start -> say -> note -> enough
    - enough[condfalse] -> say
    - enough[condtrue] -> read -> end
    """,
)
scenario(
    "db_append_same_line",
    """
    nodes:
    - {label: start, type: start}
    - {label: note, type: db, operation: append, file: notes.txt, data: same, max_iteration: 4}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: read, type: db, file: notes.txt}
    - {label: end, type: endpoint}
    edges:
    - start -> note -> enough
    - enough[condfalse] -> note
    - enough[condtrue] -> read -> end
    """,
)
scenario(
    "patch_in_loop",
    """
    nodes:
    - {label: start, type: start, custom_data: {diff: "@@ -1 +1,2 @@\\n a\\n+and more\\n"}}
    - {label: make, type: db, operation: write, file: notes.txt, data: "a\\n"}
    - label: note
      type: diff_patch
      target_path: notes.txt
      diff: "{{start.diff}}"
      backup_dir: backups
      max_iteration: 3
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: read, type: db, file: [notes.txt, backups/notes.txt.orig]}
    - {label: end, type: endpoint}
    edges:
    - start -> make -> note -> enough
    - enough[condfalse] -> note
    - enough[condtrue] -> read -> end
    """,
)
scenario(
    "template_to_file",
    """
    nodes:
    - {label: start, type: start, custom_data: {who: Ann}}
    - {label: write, type: template_job, template_content: "Dear {{who}}", output_path: a/letter.md}
    - {label: read, type: template_job, template_path: a/letter.md}
    - {label: look, type: json_schema_validator, json_schema: {const: Dear Ann}}
    - {label: end, type: endpoint}
    edges: [start -> write -> read -> look -> end]
    """,
)
scenario(
    "db_append_rows",
    """
    nodes:
    - {label: start, type: start, custom_data: {n: 1}}
    - {label: left, type: db, operation: append, file: rows.json, data: {who: left}}
    - {label: right, type: db, operation: append, file: table.csv, data: {who: right, n: 2}}
    - {label: both, type: condition, expression: 1 < 2}
    - {label: more, type: db, operation: append, file: table.csv, data: {who: more, n: 3}}
    - {label: end, type: endpoint}
    edges: [start -> left -> both, start -> right -> both, "both[condtrue] -> more -> end"]
    """,
)
scenario(
    "db_append_in_parallel",
    """
    nodes:
    - {label: start, type: start, custom_data: {n: 1}}
    - {label: a, type: db, operation: append, file: notes.txt, data: a}
    - {label: b, type: db, operation: append, file: notes.txt, data: b}
    - {label: c, type: db, operation: append, file: rows.json, data: c}
    - {label: d, type: db, operation: append, file: rows.json, data: d}
    - {label: end, type: endpoint}
    edges: [start -> a -> end, start -> b -> end, start -> c -> end, start -> d -> end]
    """,
)
scenario(
    "db_update",
    """
    nodes:
    - {label: start, type: start, custom_data: {n: 1}}
    - {label: new, type: db, operation: write, file: state.json, data: {count: {}}}
    - {label: one, type: db, operation: update, file: state.json, keys: count.a, data: 1}
    - {label: two, type: db, operation: update, file: state.json, keys: count.b, data: 2}
    - {label: read, type: db, file: state.json}
    - {label: end, type: endpoint}
    edges: [start -> new -> one -> two -> read -> end]
    """,
)
scenario(
    "endpoint_files",
    """
    nodes:
    - {label: start, type: start, custom_data: {topic: tea}}
    - {label: say, type: person_job, person: A, prompt: "{{topic}}"}
    - {label: text, type: endpoint, save_to_file: true, file_path: "a/{{topic}}.md"}
    - {label: json, type: endpoint, save_to_file: true, file_path: b.json}
    edges: [start -> say -> text, say -> json]
    """,
)
scenario(
    "conditions",
    """
    nodes:
    - {label: start, type: start, custom_data: {n: 3}}
    - {label: big, type: condition, expression: n > 2}
    - {label: yes, type: person_job, person: A, prompt: yes}
    - {label: no, type: person_job, person: B, prompt: no}
    - {label: ran, type: condition, condition_type: check_nodes_executed, node_indices: [yes]}
    - {label: end, type: endpoint}
    - {label: other, type: endpoint}
    edges:
    - start -> big
    - big[condtrue] -> yes -> ran
    - big[condfalse] -> no -> other
    - ran[condtrue] -> end
    - ran[condfalse] -> other
    """,
)
scenario(
    "limits",
    """
    nodes:
    - {label: start, type: start}
    - {label: once, type: person_job, person: A, prompt: "once {{default}}", max_iteration: 1}
    - {label: thrice, type: person_job, person: B, prompt: "thrice {{once}}", max_iteration: 3}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: end, type: endpoint}
    edges:
    - start -> once -> thrice -> enough
    - enough[condfalse] -> once
    - enough[condtrue] -> end
    """,
)
scenario(
    "breakpoints",
    DEBATE,
    Run(
        breakpoints=(
            Breakpoint(node="against", visit=2),
            Breakpoint(node="verdict", when="after"),
            Breakpoint(node="for", when="after", condition="turn == 1"),
        )
    ),
)
scenario("fresh", CHAIN, Run(), Run(fresh=True))
scenario("second_run_is_free", DIAMOND, Run(), Run())
scenario("edited", DEBATE, Run(), Edit("Against", "Much against"))
scenario("edited_end", DEBATE, Run(), Edit("Who was right?", "Who was wrong?"))
scenario(
    "edited_and_kept", DEBATE, Run(), Edit("For {{topic}}", "No {{topic}}", keep=True), Run(True)
)
scenario("edited_human", HUMAN, Run(), Edit("They said", "Somebody said"))
scenario("edited_value", CHAIN, Run(), Edit("", "", values={"draft[1]": "by hand"}))
scenario(
    "edited_jobs",
    f"""
    nodes:
    - {{label: start, type: start, custom_data: {{n: 3}}}}
    - {{label: one, type: job, code: "{log_line("one", "n + 1")}"}}
    - {{label: note, type: db, operation: append, file: notes.txt, data: noted}}
    - {{label: two, type: job, code: "{log_line("two", "[1]")}"}}
    - {{label: end, type: endpoint, save_to_file: true, file_path: end.json}}
    edges: [start -> one -> note -> two -> end]
    """,
    Run(),
    Edit("[1]", "[2]"),
)
scenario(
    "edited_append",
    """
    nodes:
    - {label: start, type: start}
    - {label: one, type: db, operation: append, file: notes.txt, data: first}
    - {label: two, type: db, operation: append, file: notes.txt, data: second}
    - {label: read, type: db, file: notes.txt}
    - {label: end, type: endpoint}
    edges: [start -> one -> two -> read -> end]
    """,
    Run(),
    Edit("first", "changed"),
)
scenario("forked", DEBATE, Run(), Fork(at=("against[2]",)))
scenario("forked_and_changed", DEBATE, Run(), Fork((), "Who was right?", "Who was wrong?"))
scenario("forked_and_edited", CHAIN, Run(), Fork(("review[1]",)), Edit("Improve by", "Mend by"))
scenario("forked_human", HUMAN, Run(), Fork(("use[1]",)))
scenario(
    "timeouts",
    """
    nodes:
    - {label: start, type: start}
    - label: slow
      type: job
      code: "open('LOG', 'a').write('slow\\\\n'); import time; time.sleep(60)"
      timeout: 1
      on_error: {default: late}
    - label: nobody
      type: user_response
      prompt: Anybody?
      timeout: 0.5
      on_error: {default: nobody}
    - {label: join, type: person_job, person: A, prompt: "{{slow}} {{nobody}}"}
    - {label: end, type: endpoint}
    edges: [start -> slow -> join -> end, start -> nobody -> join]
    """,
    silent=("nobody",),
)
INSIDE = """
{nodes: [
  {label: start, type: start},
  {label: think, type: person_job, person: B, prompt: "Think of {{item}}"},
  {label: work, type: job, code: "LOGGED"},
  {label: end, type: endpoint}],
 persons: {B: {service: openai, model: b}},
 connections: [{from: start, to: think}, {from: think, to: work}, {from: work, to: end}]}
"""
INSIDE = " ".join(INSIDE.split()).replace("LOGGED", log_line("work", "default"))
WHOLE = """
nodes:
- {label: start, type: start, custom_data: {item: tea, rows: [1, 2, 3]}}
- {label: before, type: person_job, person: A, prompt: before}
- {label: sub, type: sub_diagram, diagram_data: INSIDE, SETTINGS}
- {label: after, type: person_job, person: A, memory: ALL_MESSAGES, prompt: "after {{default}}"}
- {label: end, type: endpoint}
edges: [start -> before -> sub -> after -> end, start -> sub as item]
"""
ASKING = INSIDE.replace("type: job", "type: user_response").replace("code: ", "prompt: ")
scenario("sub_diagram", WHOLE.replace(", SETTINGS", "").replace("INSIDE", INSIDE))
scenario(
    "sub_diagram_batch",
    WHOLE.replace("SETTINGS", "batch: true, items: start.rows").replace("INSIDE", INSIDE),
)
scenario("sub_diagram_human", WHOLE.replace(", SETTINGS", "").replace("INSIDE", ASKING))
scenario(
    "sub_diagram_edited",
    WHOLE.replace(", SETTINGS", "").replace("INSIDE", INSIDE),
    Run(),
    Edit("Think of", "Dream of"),
)
scenario(
    "sub_diagram_forked",
    WHOLE.replace(", SETTINGS", "").replace("INSIDE", INSIDE),
    Run(),
    Fork(("after[1]",)),
)
TOOLS = """
nodes:
- {label: start, type: start}
- {label: TOOL, type: person_job, person: A, prompt: "[use TOOL] twice", tools: [TOOL, PART]}
- {label: after, type: person_job, person: B, prompt: "{{default}}", memory: ALL_MESSAGES}
- {label: end, type: endpoint}
edges: [start -> TOOL -> after -> end]
"""
PART = """
description: Thinks.
nodes:
- {label: start, type: start, data_schema: {type: object}}
- {label: think, type: person_job, person: C, prompt: think}
- {label: end, type: endpoint}
edges: [start -> think -> end]
persons: {C: {service: openai, model: c}}
"""
"""In the file `part.light.yaml`."""
scenario("tools", TOOLS.replace("TOOL", "look").replace(", PART", ""))
AS_TOOL = TOOLS.replace("TOOL", "part").replace("[part, PART]", "[part.light.yaml]")
scenario("diagram_as_tool", AS_TOOL)
CREATES = Scenario(
    "creates",
    """
nodes:
- {label: start, type: start}
- label: make
  type: notion
  operation: create_page
  parent: {page_id: 0123456789abcdef0123456789abcdef}
  properties: {title: []}
- {label: end, type: endpoint}
edges: [start -> make -> end]
""",
)
PAGE = Scenario(
    "page",
    CREATES.text.replace(
        "  parent: {page_id: 0123456789abcdef0123456789abcdef}\n  properties: {title: []}",
        """
  parent: {database_id: 0123456789abcdef0123456789abcdef}
  properties: {Name: {title: [{text: {content: Report}}]}}
  marker_property: Made by
  markdown: |
LINES""".replace("LINES", "".join(f"    line {number}\n\n" for number in range(230))).lstrip("\n")
        + "    - one\n      - two\n        - three\n          - four",
    ),
)
POSTS = Scenario(
    "posts",
    """
nodes:
- {label: start, type: start}
- {label: make, type: api_job, method: POST, url: "https://example.org/pages", body: {a: 1}}
- {label: end, type: endpoint}
edges: [start -> make -> end]
""",
)
PUTS = Scenario("puts", POSTS.text.replace("POST", "PUT"))
NOTES = Scenario("notes", TOOLS.replace("TOOL", "note").replace(", PART", "") + PERSONS)
LEFT = replace(NOTES, name="notes_left", unknown="done")
APART = {each.name: each for each in (CREATES, PAGE, POSTS, PUTS, NOTES, LEFT)}
"""Those that do not go as if nothing had been: people are asked what became of it."""
