"""The protocol, as any WebSocket client sees it."""

from __future__ import annotations

import json
import uuid

import pytest

from dipeo_jupyter.diagram.files import load

from .serving import ASK, OVER, QUICK

NATIVE = {
    "nodes": [
        {"id": "n1", "type": "start", "data": {"label": "start", "custom_data": {"x": 1}}},
        {"id": "n2", "type": "endpoint", "data": {"label": "end"}},
    ],
    "arrows": [{"id": "a1", "source": "n1_default_output", "target": "n2_default_input"}],
}
LIGHT = {
    "version": "light",
    "nodes": [{"label": "start", "type": "start"}, {"label": "end", "type": "endpoint"}],
    "connections": [{"from": "start", "to": "end"}],
}


async def started(client, diagram=ASK, **fields):
    """The id of a run that waits for its first answer, or is over."""
    ack = await client.ask("execute_diagram", diagram=diagram, **fields)
    assert ack["type"] == "ack", ack
    return ack["execution_id"]


def test_a_run_is_started_followed_and_ends_on_one_socket(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client, QUICK)
            return await client.until("execution_completed"), client.types(run)

    end, types = server(main)

    assert end["payload"] == {"outputs": {"end": {"x": 1}}}
    assert types[:2] == ["ack", "execution_started"]
    assert types[-1] == "execution_completed"


@pytest.mark.parametrize(
    "diagram",
    [QUICK, NATIVE, json.dumps(NATIVE), LIGHT, load(QUICK).model_dump(mode="json")],
    ids=["light text", "native object", "native text", "light object", "model"],
)
def test_a_diagram_comes_in_any_format(server, diagram):
    async def main(served):
        async with served.client() as client:
            await started(client, diagram)
            return await client.until(*OVER)

    assert server(main)["type"] == "execution_completed"


def test_the_five_messages_are_taken_flat_and_in_the_envelope(server):
    async def main(served):
        heard = []
        async with served.client() as client:
            for wrap in (dict, lambda **fields: {"payload": fields}):
                ack = await client.ask("execute_diagram", **wrap(diagram=ASK))
                run = ack["execution_id"]
                await client.until("input_required")
                for type_, fields in (
                    ("pause_execution", {}),
                    ("resume_execution", {}),
                    ("broadcast_event", {"name": "hello", "data": [1]}),
                    ("user_response", {"node": "name", "value": "Ann"}),
                ):
                    answer = await client.ask(type_, **wrap(execution_id=run, **fields))
                    heard.append(answer["type"])
                await client.until("execution_completed")
                heard += [each for each in client.types(run) if each != "ack"]
        return heard

    heard = server(main)

    half = len(heard) // 2
    assert heard[:half] == heard[half:]
    assert heard[:4] == ["ack"] * 4
    assert {"execution_paused", "execution_resumed", "broadcast", "input_received"} < set(heard)


def test_the_run_may_be_named_in_the_envelope_or_shortened(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            frame = {"execution_id": run[:20], "payload": {"now": True}}
            return run, await client.ask("pause_execution", **frame)

    run, ack = server(main)

    assert ack["execution_id"] == run


def test_the_words_of_the_ancestor_are_understood(server):
    async def main(served):
        async with served.client() as client:
            beat = await client.ask("heartbeat")
            watch = await client.ask("subscribe_monitor")
            run = await started(client)
            await client.until("input_required")
            answer = {"executionId": run, "nodeId": "name", "response": ""}
            given = await client.ask("interactive_response", **answer)
            other = await started(client, options={"debugMode": True})
            await client.until("input_required")
            ended = await client.ask("abort_execution", executionId=other)
            return beat, watch, given, ended, await client.until("execution_cancelled")

    *acks, _ = server(main)

    assert [ack["type"] for ack in acks] == ["ack"] * 4
    assert acks[0]["payload"]["result"] == "pong"


def test_who_comes_late_sees_everything_from_the_start(server):
    async def main(served):
        async with served.client() as first, served.client() as second:
            run = await started(first)
            await first.until("input_required")
            ack = await second.ask("subscribe", execution_id=run)
            await second.until("input_required")
            await first.ask("user_response", execution_id=run, node="name", value="Ann")
            await first.until("execution_completed")
            await second.until("execution_completed")
            return ack, first, second

    ack, first, second = server(main)

    assert ack["seq"] > 0
    assert seqs(first) == seqs(second) == list(range(1, seqs(first)[-1] + 1))


def seqs(client):
    return [frame["seq"] for frame in client.heard if frame["type"] != "ack" and "seq" in frame]


def test_who_comes_back_sees_only_what_is_new(server):
    async def main(served):
        async with served.client() as first:
            run = await started(first)
            last = (await first.until("input_required"))["seq"]
        async with served.client() as second:
            await second.ask("subscribe", execution_id=run, after_seq=last)
            await second.ask("user_response", execution_id=run, node="name", value="Ann")
            await second.until("execution_completed")
            return last, seqs(second)

    last, seen = server(main)

    assert seen == list(range(last + 1, seen[-1] + 1))


def test_a_run_outlives_the_connection_that_started_it(server):
    async def main(served):
        async with served.client() as first:
            run = await started(first)
            await first.until("input_required")
        async with served.client() as second:
            return (await second.ask("get_execution", execution_id=run))["payload"]["result"]

    summary = server(main)

    assert (summary["status"], summary["waiting_for"]) == ("waiting", ["name"])


def test_who_unsubscribes_hears_no_more(server):
    async def main(served):
        async with served.client() as first, served.client() as second:
            run = await started(first)
            await second.ask("subscribe", execution_id=run)
            await second.until("input_required")
            await second.ask("unsubscribe", execution_id=run)
            await first.ask("user_response", execution_id=run, node="name", value="Ann")
            await first.until("execution_completed")
            await second.ask("ping")
            return second.types(run)

    assert "input_received" not in server(main)


def test_who_subscribes_twice_hears_each_entry_once_more_only(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            last = (await client.until("input_required"))["seq"]
            await client.ask("subscribe", execution_id=run, after_seq=last)
            await client.ask("user_response", execution_id=run, node="name", value="Ann")
            await client.until("execution_completed")
            return seqs(client)

    seen = server(main)

    assert seen == list(range(1, seen[-1] + 1))


def test_a_start_that_is_not_to_be_followed_only_acknowledges(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client, QUICK, follow=False)
            await client.ask("ping")
            return client.types(run)

    assert server(main) == ["ack"]


def test_all_runs_are_listed_and_one_is_told(server):
    async def main(served):
        async with served.client() as client:
            runs = [await started(client), await started(client)]
            listed = (await client.ask("list_executions"))["payload"]["result"]
            return runs, [each["execution_id"] for each in listed]

    runs, listed = server(main)

    assert sorted(runs) == sorted(listed)


def test_runs_are_listed_with_what_they_have_taken(server):
    talk = ASK.replace('user_response, prompt: "Who?"}', "person_job, person: Ann, prompt: Hello}")

    async def main(served):
        async with served.client() as client:
            await client.ask(
                "execute_diagram", diagram=f"{talk}persons: {{Ann: {{service: demo}}}}"
            )
            await client.until("execution_completed")
            [listed] = (await client.ask("list_executions"))["payload"]["result"]
            asked = await client.ask("get_execution", execution_id=listed["execution_id"])
            return listed, asked["payload"]["result"]

    listed, asked = server(main)

    assert listed["usage"]["calls"] == 1
    assert asked == listed


def test_a_diagram_is_drawn_with_its_places_and_its_problems(server):
    async def main(served):
        wrong = ASK.replace("to: end}", "to: edn}")
        async with served.client() as client:
            whole = await client.ask("draw_diagram", diagram=ASK, file="talks/ask.light.yaml")
            broken = await client.ask("draw_diagram", diagram=wrong)
            begun = await client.ask("list_executions")
            return [each["payload"]["result"] for each in (whole, broken, begun)]

    whole, broken, begun = server(main)

    labels = [each.label for each in load(ASK).nodes]
    assert [each["label"] for each in whole["diagram"]["nodes"]] == labels
    assert list(whole["places"]["boxes"]) == labels
    assert len(whole["places"]["routes"]) == len(load(ASK).edges)
    assert whole["problems"] == []
    assert (broken["problems"][0]["line"], broken["problems"][0]["severity"]) == (7, "error")
    assert list(broken["places"]["boxes"]) == labels
    assert begun == []


def test_a_drawn_diagram_without_a_name_has_that_of_its_file(server):
    async def main(served):
        nameless = "version: light\nnodes:\n- {label: go, type: start}\n"
        async with served.client() as client:
            drawn = await client.ask("draw_diagram", diagram=nameless, file="talks/plan.dipeo.yaml")
            return drawn["payload"]["result"]["diagram"]["name"]

    assert server(main) == "plan"


def test_what_is_no_diagram_is_drawn_as_an_empty_one(server):
    async def main(served):
        async with served.client() as client:
            drawn = await client.ask("draw_diagram", diagram="nodes: [")
            return drawn["payload"]["result"]

    drawn = server(main)

    assert drawn["diagram"]["nodes"] == []
    assert drawn["problems"][0]["line"] == 1


def test_a_diagram_is_checked_converted_and_described(server):
    async def main(served):
        wrong = ASK.replace("to: end}", "to: edn}")
        async with served.client() as client:
            checked = await client.ask("check_diagram", diagram=wrong)
            text = await client.ask("convert_diagram", diagram=ASK, to="native")
            schema = await client.ask("describe")
            return [each["payload"]["result"] for each in (checked, text, schema)]

    problems, text, schema = server(main)

    assert (problems[0]["line"], problems[0]["severity"]) == (7, "error")
    assert load(text).nodes == load(ASK).nodes
    assert schema


def test_a_wrong_diagram_is_refused_with_all_its_lines(server):
    async def main(served):
        wrong = ASK.replace("to: end}", "to: edn}").replace("user_response", "user_respnse")
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=wrong)

    error = server(main)["payload"]

    assert error["code"] == "bad_diagram"
    assert error["problems"][0]["line"] == 7
    assert "edn" in error["message"]


def test_mistakes_found_by_the_engine_have_lines_too(server):
    async def main(served):
        wrong = ASK.replace("user_response", "user_respnse")
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=wrong)

    error = server(main)["payload"]

    assert [each["line"] for each in error["problems"]] == [5]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "pnig"}, "unknown_command"),
        ({"type": "pause_execution"}, "bad_command"),
        ({"type": "pause_execution", "execution_id": "exec_no"}, "unknown_execution"),
        ({"type": "execute_diagram"}, "bad_command"),
        ({"type": "execute_diagram", "diagram": 5}, "bad_command"),
        ({"type": "execute_diagram", "diagram": LIGHT, "owner": "root"}, "bad_command"),
        ({"type": "ping", "payload": []}, "bad_message"),
        ({"type": "ping", "payload": {"a": 1}, "b": 2}, "bad_message"),
    ],
)
def test_every_refusal_has_a_code_a_sentence_and_the_id_of_what_is_refused(server, message, code):
    async def main(served):
        async with served.client() as client:
            return await client.ask(**{"type_": message.pop("type"), **message})

    error = server(main)

    assert error["type"] == "error"
    assert error["payload"]["code"] == code
    assert error["payload"]["message"].endswith((".", "]"))


def test_a_path_is_never_taken_for_a_diagram(server, tmp_path):
    (tmp_path / "a.light.yaml").write_text(QUICK)

    async def main(served):
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=str(tmp_path / "a.light.yaml"))

    assert server(main)["payload"]["code"] == "bad_diagram"


def test_what_is_broadcast_reaches_all_who_watch_the_run_and_nobody_else(server):
    async def main(served):
        async with served.client() as one, served.client() as two, served.client() as three:
            run = await started(one)
            await two.ask("subscribe", execution_id=run)
            fields = {"execution_id": run, "name": "note", "data": {"n": 1}}
            await three.ask("broadcast_event", **fields)
            told = [await each.until("broadcast") for each in (one, two)]
            await three.ask("ping")
            return told, three.types()

    told, third = server(main)

    assert [each["payload"] for each in told] == [{"name": "note", "data": {"n": 1}}] * 2
    assert "broadcast" not in third


def test_what_is_broadcast_without_a_run_reaches_every_connection(server):
    async def main(served):
        async with served.client() as one, served.client() as two:
            await one.ask("broadcast_event", name="note", data=1)
            return await two.until("relayed")

    assert server(main)["payload"] == {"name": "note", "data": 1}


def test_the_same_start_sent_twice_is_one_run(server):
    async def main(served):
        same = {"diagram": ASK, "correlation_id": "5f0d3a2b-8f5c-4e0a-9f0e-2b3c4d5e6f70"}
        async with served.client() as one:
            first = await one.ask("execute_diagram", **same)
        async with served.client() as two:
            second = await two.ask("execute_diagram", **same)
            other = await two.ask("execute_diagram", **{**same, "diagram": QUICK})
            listed = (await two.ask("list_executions"))["payload"]["result"]
        return first, second, other, listed

    first, second, other, listed = server(main)

    assert first["execution_id"] == second["execution_id"]
    assert other["payload"]["code"] == "duplicate_id"
    assert len(listed) == 1


def test_a_command_that_is_sent_twice_under_one_uuid_is_obeyed_once(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            note = {"execution_id": run, "name": "note", "correlation_id": str(uuid.uuid4())}
            acks = [await client.ask("broadcast_event", **note) for _ in range(2)]
            await client.ask("cancel_execution", execution_id=run)
            await client.until("execution_cancelled")
            return [ack["type"] for ack in acks], client.types().count("broadcast")

    assert server(main) == (["ack", "ack"], 1)


def test_commands_about_one_run_are_obeyed_in_their_order(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            await client.until("input_required")
            for _ in range(20):
                for each in ("pause_execution", "resume_execution"):
                    await client.say(each, execution_id=run, correlation_id=each)
            await client.ask("cancel_execution", execution_id=run)
            await client.until("execution_cancelled")
            return [each for each in client.types() if each.startswith("execution_")], client

    types, client = server(main)

    assert types[1:-1] == ["execution_paused", "execution_resumed"] * 20
    assert "error" not in client.types()


def test_the_second_answer_is_told_that_there_was_a_first(server):
    async def main(served):
        async with served.client() as one, served.client() as two:
            run = await started(one)
            await one.until("input_required")
            answer = {"execution_id": run, "node": "name", "value": "Ann", "activation": 1}
            first = await one.ask("user_response", **answer)
            return first, await two.ask("user_response", **answer)

    first, second = server(main)

    assert (first["type"], second["type"]) == ("ack", "error")
    assert second["payload"]["code"] == "no_question"


def test_an_answer_that_does_not_fit_is_refused_and_may_be_mended(server):
    diagram = ASK.replace('prompt: "Who?"', "prompt: Age?, schema: {type: integer}")

    async def main(served):
        async with served.client() as client:
            run = await started(client, diagram)
            await client.until("input_required")
            answer = {"execution_id": run, "node": "name"}
            refused = await client.ask("user_response", value="old", **answer)
            taken = await client.ask("user_response", value=7, **answer)
            return refused, taken

    refused, taken = server(main)

    assert refused["payload"]["code"] == "invalid_answer"
    assert taken["type"] == "ack"
