"""What was wrong with the protocol of the ancestor, and is not with this one.

The numbers are those of the list in which the defects were found.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from .serving import ASK, OVER, QUICK
from .test_websocket import seqs, started

JOB = """
version: light
nodes:
- {label: start, type: start}
- {label: work, type: job, code: "CODE"}
- {label: end, type: endpoint}
connections: [{from: start, to: work}, {from: work, to: end}]
"""
SLEEPS = JOB.replace("CODE", "import time; print('here', flush=True); time.sleep(600)")
FAILS = JOB.replace("CODE", "raise ValueError('no')")


async def asleep(client):
    """A run whose job sleeps."""
    run = await started(client, SLEEPS)
    await client.until("node_progress", "execution_failed")
    return run


def test_1_a_run_can_be_steered_and_answered_on_the_socket_that_runs_it(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            await client.until("input_required")
            await client.ask("pause_execution", execution_id=run)
            await client.ask("resume_execution", execution_id=run)
            await client.ask("user_response", execution_id=run, node="name", value="Ann")
            return await client.until(*OVER)

    assert server(main)["payload"]["outputs"] == {"end": "Ann"}


def test_2_each_command_is_acknowledged_exactly_once(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            await client.until("input_required")
            for number, type_ in enumerate(("pause_execution", "resume_execution", "nonsense")):
                await client.ask(type_, execution_id=run, correlation_id=f"id {number}")
            await client.ask("ping")
            return Counter(
                frame["correlation_id"]
                for frame in client.heard
                if frame.get("correlation_id", "").startswith("id")
            )

    assert server(main) == {"id 0": 1, "id 1": 1, "id 2": 1}


def test_3_each_event_comes_once_and_only_to_those_who_follow(server):
    async def main(served):
        async with served.client() as one, served.client() as two:
            await started(one, QUICK)
            await one.until("execution_completed")
            await two.ask("ping")
            return seqs(one), two.types()

    seen, other = server(main)

    assert seen == list(range(1, len(seen) + 1))
    assert other == ["connected", "ack"]


def test_4_a_monitor_sees_all_events_of_all_runs(server):
    async def main(served):
        async with served.client() as one, served.client() as monitor:
            early = await started(one)
            await monitor.ask("subscribe_monitor")
            late = await started(one)
            for run in (early, late):
                await one.ask("cancel_execution", execution_id=run)
            for _ in (early, late):
                await monitor.until("execution_cancelled")
            return [monitor.types(run) for run in (early, late)]

    for types in server(main):
        assert types[0] == "execution_started"
        assert types[-1] == "execution_cancelled"
        assert len(types) == len([each for each in types if each != "ack"])


def test_5_a_hundred_runs_have_a_hundred_ids(server):
    async def main(served):
        async with served.client() as client:
            for number in range(100):
                fields = {"diagram": QUICK, "follow": False, "correlation_id": str(number)}
                await client.say("execute_diagram", **fields)
            return {(await client.until("ack"))["execution_id"] for _ in range(100)}

    assert len(server(main)) == 100


def test_6_two_runs_go_on_at_once(server):
    async def main(served):
        async with served.client() as client:
            runs = [await asleep(client), await asleep(client)]
            listed = (await client.ask("list_executions"))["payload"]["result"]
            for run in runs:
                await client.ask("cancel_execution", execution_id=run)
            return [each["status"] for each in listed]

    assert server(main) == ["running", "running"]


def test_7_a_node_that_fails_is_told_as_failed(server):
    async def main(served):
        async with served.client() as client:
            await started(client, FAILS)
            await client.until(*OVER)
            return client.types()

    types = server(main)

    assert "node_failed" in types
    assert types[-1] == "execution_failed"


def test_8_nothing_is_left_behind_by_a_failure(server):
    async def main(served):
        async with served.client() as client:
            await started(client, FAILS)
            await client.until("execution_failed")
            await client.ask("ping")
            user = served.users.known[0]
            await asyncio.gather(*user._watching.values())
            return user.live, client.types()[-1]

    assert server(main) == ((), "ack")


def test_9_cancelling_ends_a_node_that_sleeps(server):
    async def main(served):
        async with served.client() as client:
            run = await asleep(client)
            begun = asyncio.get_running_loop().time()
            await client.ask("cancel_execution", execution_id=run)
            await client.until("execution_cancelled")
            return asyncio.get_running_loop().time() - begun

    assert server(main) < 2


@pytest.mark.parametrize("diagram", [QUICK, FAILS], ids=["completed", "failed"])
def test_10_cancelling_what_is_over_is_no_error(server, diagram):
    async def main(served):
        async with served.client() as client:
            run = await started(client, diagram)
            await client.until(*OVER)
            return [await client.ask("abort_execution", executionId=run) for _ in range(2)]

    assert [each["type"] for each in server(main)] == ["ack", "ack"]


def test_11_every_time_is_one_of_the_clock_on_the_wall(server):
    async def main(served):
        async with served.client() as client:
            await started(client, ASK)
            await client.until("input_required")
            return [datetime.fromisoformat(frame["timestamp"]) for frame in client.heard]

    times = server(main)

    assert all(abs(datetime.now(UTC) - time) < timedelta(minutes=1) for time in times)
