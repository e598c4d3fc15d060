"""What `check` says about nodes, edges and the flow through them, and what it keeps quiet about."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from dipeo_jupyter.app import build_engine, build_services
from dipeo_jupyter.client import check as check_reading
from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec
from dipeo_jupyter.engine.compile import compile_diagram, examine
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.settings import Settings

from .checking import TYPES, check, codes, flow


def test_errors_in_nodes_do_not_hide_what_is_wrong_around_them():
    found = codes(
        """
        nodes:
        - {label: a, type: jbo}
        - {label: b, type: condition, expression: 1 +}
        - {label: c, type: job, code: return 1}
        connections: [a -> b, b.true -> c, {from: c, to: nowhere.first}]
        """.replace("nowhere.first", "c")
    )

    assert {"unknown_type", "bad_expression", "unconnected_branch"} <= set(found)


def test_a_loop_is_found_while_another_node_is_wrong():
    text = flow(
        """
        a: {type: job, code: return 1}
        b: {type: job, code: return 1}
        c: {type: endpoint, colour: red}
        """,
        "start -> a\na -> b\nb -> a\nb -> c",
    )

    assert {"unknown_property", "endless_loop"} == set(codes(text))


def test_a_partial_diagram_gets_no_advice_on_the_whole():
    text = flow("a: {type: condition, expression: x}", "start -> a")

    assert {"unconnected_branch", "run_input"} == set(codes(text))
    assert [] == codes(text, partial=True)


def test_a_partial_diagram_is_still_checked_node_by_node():
    text = flow("a: {type: endpoint, file_path: x}", "start -> a")

    assert ["unused_setting"] == codes(text, partial=True)


def test_a_wrong_template_is_pointed_at_inside_a_block():
    lines = [
        "nodes:",
        "- label: ask",
        "  type: user_response",
        "  prompt: |",
        "",
        "      All is well here,",
        "        but {{#if}} is not.",
    ]
    (problem,) = check("\n".join(lines), partial=True)

    assert ("bad_template", 7) == (problem.code, problem.line)
    assert lines[6][problem.column - 1 :].startswith("{{#if}}")


@pytest.mark.parametrize("header", [">", "|2-"])
def test_where_lines_are_not_those_of_the_text_the_key_is_pointed_at(header):
    text = "nodes:\n- label: ask\n  type: user_response\n"
    (problem,) = check(f"{text}  prompt: {header}\n      a\n      {{{{#if}}}}\n", partial=True)

    assert (4, 3) == (problem.line, problem.column)


def test_both_branches_left_open_are_one_problem():
    (problem,) = check(flow("a: {type: condition, expression: 1 < 2}", "start -> a"))

    assert "'condtrue' and 'condfalse'" in problem.message


def test_a_loop_without_an_entry_is_said_to_begin_by_itself():
    nodes = "a: {type: job, code: return 1}\nb: {type: condition, expression: 1 < 2}"
    found = check(flow(nodes, "a -> b\nb.true -> a\nb.false -> b"))

    assert ["unreachable"] == [problem.code for problem in found]
    assert "begins by itself" in found[0].message


@pytest.mark.parametrize(("limit", "expected"), [("", ["no_limit"]), (", max_iteration: 2", [])])
def test_waiting_for_limits_needs_one_before_it(limit, expected):
    nodes = f"""
        a: {{type: job, code: return 1{limit}}}
        b: {{type: condition, condition_type: detect_max_iterations}}
        c: {{type: endpoint}}
        """

    assert expected == codes(flow(nodes, "start -> a\na -> b\nb.true -> c\nb.false -> c"))


def test_a_limit_outside_of_the_loop_does_not_count():
    nodes = """
        a: {type: job, code: return 1, max_iteration: 2}
        b: {type: job, code: return 1}
        c: {type: condition, condition_type: detect_max_iterations}
        d: {type: endpoint}
        """

    assert ["no_limit"] == codes(
        flow(nodes, "start -> a\na -> b\nb -> c\nc.false -> b\nc.true -> d")
    )


JOBS = """
    a: {type: job, code: return 1}
    b: {type: job, code: return 2}
    c: {type: condition, expression: 1 < 2}
    end: {type: endpoint}
    """


@pytest.mark.parametrize(
    "edges",
    [
        "start -> c\nc.true -> a\nc.false -> b\na -> end as x\nb -> end as x",
        "start -> c\nstart -> a\na -> b\nc.true -> end as x\nc.false -> end as x",
        "start -> a as x\na -> b\nb -> c\nc.true -> a as x\nc.false -> end",
        "start -> c\nc.true -> a\nc.false -> end as x\na -> b\nb -> end as x",
    ],
)
def test_labels_of_which_only_one_can_be_live_may_be_the_same(edges):
    assert "same_edge_label" not in codes(flow(JOBS, edges))


@pytest.mark.parametrize(
    "edges",
    [
        "start -> a\nstart -> b\na -> end as x\nb -> end as x",
        "start -> c\nc.true -> a\nc.true -> b\na -> end as x\nb -> end as x\nc.false -> end",
        "start -> c\nc.true -> a\nc.false -> end\nstart -> b\na -> end as x\nb -> end as x",
    ],
)
def test_labels_that_can_be_live_together_are_a_warning(edges):
    (problem,) = [x for x in check(flow(JOBS, edges)) if x.code == "same_edge_label"]

    assert "'x' twice, from 'a' and from 'b'" in problem.message


def test_whoever_takes_the_first_value_may_get_one_label_twice():
    nodes = JOBS.replace("type: endpoint", "type: endpoint, join: any")
    edges = "start -> a\nstart -> b\nstart -> c\nc.true -> end\nc.false -> end"

    found = codes(flow(nodes, f"{edges}\na -> end as x\nb -> end as x"))
    assert ["join_any"] == found


def test_a_first_edge_in_a_loop_is_as_it_should_be():
    nodes = """
        ask: {type: person_job, person: P, prompt: Hello}
        c: {type: condition, expression: 1 < 2}
        end: {type: endpoint}
        """
    edges = "start -> ask.first\nask -> c\nc.false -> ask\nc.true -> end"

    assert [] == codes(flow(nodes, edges, persons="P: {service: demo}"))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("{type: endpoint, file_format: json}", "`file_format` counts only with"),
        ("{type: db, file: a.txt, data: x}", "`data` is what to write"),
        (
            "{type: person_job, person: P, prompt: x, memory: GOLDFISH, max_messages: 3}",
            "`max_messages` has no effect",
        ),
        (
            "{type: condition, condition_type: detect_max_iterations, expression: x}",
            "`expression` counts only with",
        ),
        ("{type: endpoint, join: any}", "`join: any` has no effect"),
    ],
)
def test_a_setting_without_effect_is_named_as_it_is_written(node, words):
    text = flow(f"a: {node}", "start -> a", persons="P: {service: demo}")
    (problem,) = [x for x in check(text) if x.code == "unused_setting"]

    assert words in problem.message
    assert problem.path[:2] == ("nodes", "a")
    assert problem.path[2] in words


def test_what_has_no_effect_is_not_looked_at():
    nodes = "a: {type: endpoint, file_path: '{{#if}}'}"

    assert ["unused_setting"] == codes(flow(nodes, "start -> a"))


@pytest.mark.parametrize("kind", ["generic", "variable", "raw_text", "object"])
def test_content_types_of_all_times_are_known(kind):
    assert [] == codes(flow("a: {type: endpoint}", f"{{from: start, to: a, content_type: {kind}}}"))


@pytest.mark.parametrize("name", ["note", "controlPointOffsetX", "target_input", "packing"])
def test_entries_of_connections_that_look_like_no_other_are_kept_quietly(name):
    assert [] == codes(flow("a: {type: endpoint}", f"{{from: start, to: a, {name}: x}}"))


def test_an_expression_that_asks_for_a_node_names_one():
    nodes = "a: {type: condition, expression: \"iterations('strat') > 1\"}\nb: {type: endpoint}"
    (problem,) = check(flow(nodes, "start -> a\na.true -> b\na.false -> b"))

    assert ("unknown_node", "Did you mean 'start'?") == (problem.code, problem.hint)


def checked(text, **settings):
    """What a face shows: the problems of the text and of the diagram."""
    reading = light.survey(dedent(text))

    async def main():
        return await check_reading(build_engine(Settings(**settings)), reading)

    return asyncio.run(main())


def test_problems_of_all_stages_come_at_once_in_file_order(tmp_path):
    found = checked(
        """
        nodes:
        - {label: start, type: start}
        - {type: endpoint}
        - {label: b, type: jbo}
        - {label: c, type: endpoint, file_path: x}
        connections:
        - start -> d
        """,
        root=tmp_path,
    )

    expected = {4: "missing_label", 5: "unknown_type", 6: "unused_setting", 8: "unknown_node"}
    assert list(expected.items()) == [(problem.line, problem.code) for problem in found]


def test_a_text_that_cannot_be_read_is_one_problem(tmp_path):
    assert ["yaml_syntax"] == [problem.code for problem in checked("a: b: c", root=tmp_path)]


HARM = """
    nodes:
    - {label: start, type: start, custom_data: {path: /etc/passwd}, data_schema: {$ref: "#"}}
    - {label: a, type: job, code: "__import__('os').system('touch harm')"}
    - {label: b, type: job, file_path: /etc/passwd}
    - {label: c, type: job, language: bash, code: "curl http://127.0.0.1:9/; touch harm"}
    - {label: d, type: db, file: /etc/passwd}
    - {label: e, type: db, operation: write, file: harm, data: "{{path}}"}
    - {label: f, type: endpoint, save_to_file: true, file_path: harm}
    - {label: g, type: person_job, person: P, prompt: "{{path}}"}
    - {label: h, type: notion, operation: read_page, page_id: "{{path}}"}
    - {label: i, type: user_response, prompt: Hello?}
    - {label: j, type: condition, expression: "__import__('os')"}
    connections:
    - start -> a
    persons:
      P: {service: openai, model: gpt-4.1-nano, prompt_file: /etc/passwd}
    """


def test_nothing_is_run_read_or_sent(tmp_path, monkeypatch):
    async def main():
        services = build_services(Settings(root=tmp_path))
        engine = build_engine(Settings(root=tmp_path), services)

        def refuse(*_, **__):
            raise AssertionError("check reached the world")

        for target, name in (
            (socket.socket, "connect"),
            (socket, "create_connection"),
            (socket, "getaddrinfo"),
            (subprocess, "Popen"),
            (asyncio, "create_subprocess_exec"),
            (services.files, "read"),
            (services.files, "write"),
            (services.sandbox, "run"),
            (services.notion, "call"),
            (services.llm, "chat"),
        ):
            monkeypatch.setattr(target, name, refuse, raising=True)
        return await check_reading(engine, light.survey(dedent(HARM)))

    found = asyncio.run(main())

    assert "bad_expression" in [problem.code for problem in found]
    assert [] == list(tmp_path.iterdir())


def test_a_large_diagram_is_checked_by_a_walk_and_not_by_pairs():
    """A chain of nodes that look far back: by pairs it would take hours."""
    size = 3000
    nodes = [NodeSpec(label="start", type="start")]
    nodes += [
        NodeSpec(label=f"n{i}", type="user_response", props={"prompt": f"{{{{n{i // 2}}}}}"})
        for i in range(1, size)
    ]
    edges = [Edge(source="start", target="n1", label="v")]
    edges += [Edge(source=f"n{i}", target=f"n{i + 1}", label="v") for i in range(1, size - 1)]

    _, found = examine(Diagram(nodes=tuple(nodes), edges=tuple(edges)), TYPES)

    assert {"run_input"} >= {problem.code for problem in found}


def test_what_is_only_pointed_at_keeps_no_diagram_from_running():
    drawn = light.survey(
        dedent(
            """
            version: light
            nodes:
            - {label: start, type: start}
            - {label: work, type: job, network: true, code: return 1}
            - {label: end, type: endpoint}
            connections: [{from: start, to: work}, {from: work, to: end}]
            """
        )
    )

    async def main():
        return await check_reading(build_engine(Settings(root=Path())), drawn)

    assert [(each.code, each.severity) for each in asyncio.run(main())] == [
        ("uses_network", "hint")
    ]
    compile_diagram(drawn.diagram, load_node_types())  # which raises for what is wrong
