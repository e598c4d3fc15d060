"""What the server tells those who look after it: metrics, log lines, traces."""

from __future__ import annotations

import asyncio
import logging
import re

from tornado.httpclient import AsyncHTTPClient

from .serving import OVER, QUICK, TOKEN

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def ran(client):
    """The id of a run, once it is over."""
    ack = await client.ask("execute_diagram", payload={"diagram": QUICK}, traceparent=TRACEPARENT)
    await client.until(*OVER)
    return ack["execution_id"]


async def metrics(served):
    """What Prometheus gets."""
    address = served.url.replace("ws://", "http://").replace("dipeo/ws", "metrics")
    headers = {"Authorization": f"token {TOKEN}"}
    answer = await AsyncHTTPClient().fetch(address, headers=headers)
    return answer.body.decode()


def completed(shown):
    found = re.search(r'^dipeo_executions_total\{status="completed"\} (\S+)$', shown, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_runs_are_counted_among_jupyters_own_metrics(server):
    async def main(served):
        before = completed(await metrics(served))
        async with served.client() as client:
            await ran(client)
        return before, await metrics(served)

    before, shown = server(main)
    assert completed(shown) == before + 1
    assert "http_request_duration_seconds" in shown


def test_lines_about_runs_are_where_jupyters_own_are(server, capfd):
    async def main(served):
        async with served.client() as client:
            return await ran(client)

    execution_id = server(main)
    told = [line for line in capfd.readouterr().err.splitlines() if execution_id in line]
    assert len([line for line in told if " started" in line or " completed" in line]) == 2


def test_a_server_that_has_stopped_leaves_no_handler(server):
    async def main(served):
        await asyncio.sleep(0)

    before = list(logging.getLogger("dipeo_jupyter").handlers)
    server(main)
    assert logging.getLogger("dipeo_jupyter").handlers == before


def test_a_run_keeps_the_trace_that_its_envelope_has_named(server):
    async def main(served):
        async with served.client() as client:
            execution_id = await ran(client)
            return next(
                each["payload"]["traceparent"]
                for each in client.heard
                if each["type"] == "execution_started" and each["execution_id"] == execution_id
            )

    assert server(main) == TRACEPARENT
