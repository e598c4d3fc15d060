"""How runs stand is told to those who want to know no more."""

from __future__ import annotations

from .serving import ASK, QUICK
from .test_websocket import started


async def until_it_is(client, status):
    """The summary of a run that stands so, which is waited for."""
    while (summary := (await client.until("standing"))["payload"]["summary"])["status"] != status:
        pass
    return summary


def test_a_brief_reader_hears_how_each_run_stands_and_nothing_else(server):
    async def main(served):
        async with served.client() as one, served.client() as reader:
            early = await started(one, ASK)
            await reader.ask("subscribe", execution_id="*", brief=True)
            waiting = await until_it_is(reader, "waiting")
            answer = {"node": "name", "value": "Ada"}
            await one.ask("user_response", execution_id=early, **answer)
            over = await until_it_is(reader, "completed")
            late = await started(one, QUICK)
            found = await until_it_is(reader, "completed")
            return early, late, waiting, over, found, {frame["type"] for frame in reader.heard}

    early, late, waiting, over, found, types = server(main)

    assert [each["execution_id"] for each in (waiting, over, found)] == [early, early, late]
    assert waiting["waiting_for"] == ["name"]
    assert types <= {"connected", "ack", "standing"}


def test_what_happens_fast_is_told_in_few_words(server):
    many = "\n".join(
        ["version: light", "nodes:", "- {label: n0, type: start}"]
        + [f"- {{label: n{each}, type: job, code: '{each}'}}" for each in range(1, 9)]
        + ["connections:"]
        + [f"- {{from: n{each}, to: n{each + 1}}}" for each in range(8)]
    )

    async def main(served):
        async with served.client() as one, served.client() as reader:
            await reader.ask("subscribe", execution_id="*", brief=True)
            await started(one, many)
            summary = await until_it_is(reader, "completed")
            told = [frame for frame in reader.heard if frame["type"] == "standing"]
            return summary["events"], len(told)

    events, told = server(main)

    assert told < events


def test_who_has_enough_hears_no_more(server):
    async def main(served):
        async with served.client() as one, served.client() as reader:
            await reader.ask("subscribe", execution_id="*", brief=True)
            run = await started(one, ASK)
            await until_it_is(reader, "waiting")
            await reader.ask("unsubscribe", execution_id="*")
            heard = len(reader.heard)
            await one.ask("cancel_execution", execution_id=run)
            await reader.ask("ping")
            return [frame["type"] for frame in reader.heard[heard:]]

    assert server(main) == ["ack"]
