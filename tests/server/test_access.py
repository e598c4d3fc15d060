"""Who gets in, and what they see there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
import websockets

from dipeo_jupyter.server.script import SCRIPT_PATH

from .people import PEOPLE
from .serving import ASK, OVER, QUICK, TOKEN
from .test_websocket import started


async def knock(url, **headers):
    """The status with which a handshake is answered."""
    try:
        async with websockets.connect(url, additional_headers=headers, proxy=None):
            return 101
    except websockets.InvalidStatus as error:
        return error.response.status_code


async def cookie_of(served):
    """What a browser that has logged in sends with everything."""
    url = f"http://127.0.0.1:{served.app.port}{served.app.base_url}api/status"
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(url, headers={"Authorization": f"token {TOKEN}"})
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def test_no_route_of_ours_lets_anybody_in_without_a_token(server):
    async def main(served):
        rules = served.app.web_app.default_router.rules[0].target.rules
        ours = [rule for rule in rules if rule.target.__module__.startswith("dipeo_jupyter")]
        paths = [rule.matcher.regex.pattern.rstrip("$") for rule in ours]
        base = f"ws://127.0.0.1:{served.app.port}"
        return paths, [await knock(base + path) for path in paths if path.endswith("/ws")]

    paths, statuses = server(main)

    assert paths == ["/dipeo/ws", "/dipeo/kernel/ws", SCRIPT_PATH]  # which see test_script.py for
    assert statuses == [403, 403]


@pytest.mark.parametrize("allowed", [True, False])
def test_whatever_jupyter_thinks_of_strangers_they_do_not_get_in(server, allowed):
    config = {"ServerApp": {"allow_unauthenticated_access": allowed}}

    async def main(served):
        return [
            await knock(served.url),
            await knock(served.url, Authorization="token wrong"),
            await knock(f"{served.url}?token=wrong"),
            await knock(served.url, Cookie=(await cookie_of(served))[:-9] + '"no-one"'),
        ]

    assert server(main, config=config) == [403] * 4


def test_a_token_opens_in_a_header_and_in_the_address(server):
    async def main(served):
        return [
            await knock(served.url, Authorization=f"token {TOKEN}"),
            await knock(served.url, Authorization=f"Bearer {TOKEN}"),
            await knock(f"{served.url}?token={TOKEN}"),
        ]

    assert server(main) == [101] * 3


@pytest.mark.parametrize("allow_origin", ["", "*"])
def test_a_cookie_opens_only_to_a_page_of_this_server(server, allow_origin):
    async def main(served):
        cookie, port = await cookie_of(served), served.app.port
        origins = [
            f"http://127.0.0.1:{port}",
            "https://evil.example",
            "null",
            f"http://127.0.0.1:{port + 1}",
            f"http://localhost:{port}",
            f"http://127.0.0.1:{port}.evil.example",
        ]
        return [await knock(served.url, Cookie=cookie, Origin=each) for each in origins]

    config = {"ServerApp": {"allow_origin": allow_origin}}

    assert server(main, config=config) == [101, 403, 403, 403, 403, 403]


def test_pages_from_elsewhere_that_are_named_may_come_in(server):
    async def main(served):
        cookie = await cookie_of(served)
        pages = ["https://a.example", "https://b.example", "https://c.example"]
        return [await knock(served.url, Cookie=cookie, Origin=each) for each in pages]

    config = {"ServerApp": {"allow_origin": "https://b.example"}}
    found = server(main, config=config, allowed_origins=["https://a.example"])

    assert found == [101, 101, 403]


def test_a_script_with_the_token_may_come_from_anywhere(server):
    async def main(served):
        headers = {"Authorization": f"token {TOKEN}", "Origin": "https://else.example"}
        return await knock(served.url, **headers)

    assert server(main) == 101


def test_who_must_not_read_does_not_get_in(server):
    async def main(served):
        return await knock(served.url, Authorization="token of-stranger")

    assert server(main, config=PEOPLE) == 403


def test_who_may_only_read_can_watch_but_change_nothing(server):
    async def main(served):
        async with served.client(who="reader") as reader:
            user = served.users.known[0]
            run = (await user.send(started_by_somebody())).execution_id
            told = await reader.ask("subscribe", execution_id=run)
            await reader.until("input_required")
            tries = {
                "execute_diagram": {"diagram": QUICK},
                "user_response": {"execution_id": run, "node": "name", "value": "x"},
                "pause_execution": {"execution_id": run},
                "cancel_execution": {"execution_id": run},
                "edit_execution": {"execution_id": run},
                "fork_execution": {"execution_id": run},
                "prune_executions": {},
                "broadcast_event": {"name": "x"},
            }
            refused = [await reader.ask(each, **fields) for each, fields in tries.items()]
            checked = await reader.ask("check_diagram", diagram=QUICK)
            return told["type"], checked["type"], [each["payload"]["code"] for each in refused]

    assert server(main, config=PEOPLE) == ("ack", "ack", ["forbidden"] * 8)


def started_by_somebody():
    from dipeo_jupyter.diagram.files import load  # noqa: PLC0415 - for this only
    from dipeo_jupyter.protocol.commands import ExecuteDiagram  # noqa: PLC0415

    return ExecuteDiagram(diagram=load(ASK))


def test_nobody_finds_the_runs_of_somebody_else(server):
    async def main(served):
        async with (
            served.client(who="ann") as ann,
            served.client(who="bob") as bob,
        ):
            run = await started(ann)
            await ann.until("input_required")
            await bob.ask("subscribe_monitor")
            tries = ("subscribe", "get_execution", "pause_execution", "cancel_execution")
            answers = [await bob.ask(each, execution_id=run) for each in tries]
            answer = {"execution_id": run, "node": "name", "value": "mine"}
            answers.append(await bob.ask("user_response", **answer))
            answers.append(await bob.ask("fork_execution", execution_id=run))
            unknown = await bob.ask("get_execution", execution_id="exec_0000")
            listed = await bob.ask("list_executions")
            return run, answers, unknown, listed, bob.types(run)

    run, answers, unknown, listed, heard = server(main, config=PEOPLE)

    assert {each["payload"]["code"] for each in [*answers, unknown]} == {"unknown_execution"}
    sentences = {each["payload"]["message"].replace(run, "exec_0000") for each in answers}
    assert sentences == {unknown["payload"]["message"]}
    assert listed["payload"]["result"] == []
    assert heard == []


def test_what_models_have_answered_to_one_is_not_reused_for_another(server):
    person = """
        version: light
        persons: {P: {service: demo}}
        nodes:
        - {label: start, type: start}
        - {label: ask, type: person_job, person: P, prompt: hello}
        connections: [{from: start, to: ask}]
        """

    async def main(served):
        found = []
        for name in ("ann", "ann", "bob"):
            async with served.client(who=name) as client:
                await started(client, person)
                frame = await client.until("effect_completed", "execution_failed")
                found.append(frame["payload"]["reused"])
                await client.until(*OVER)
        return found

    assert server(main, config=PEOPLE) == [False, True, False]


def test_the_hubs_user_is_the_owner_of_their_server(server, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "ann")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    config = {"ServerApp": {**PEOPLE["ServerApp"], "base_url": "/user/ann/"}}

    async def main(served):
        async with served.client(who="ann") as ann, served.client(who="bob") as bob:
            runs = [await started(each, QUICK, follow=False) for each in (ann, bob)]
            listed = [
                (await each.ask("list_executions"))["payload"]["result"] for each in (ann, bob)
            ]
            return runs, [each[0]["execution_id"] for each in listed], served.users.settings.home

    runs, listed, home = server(main, config=config)

    assert listed == runs
    assert (home / "journal.db").exists()
    assert [path.name[:4] for path in (home / "users").iterdir()] == ["bob-"]


def test_a_token_that_is_changed_ends_what_was_opened_with_it(server):
    async def main(served):
        async with served.client() as client:
            await started(client)
            served.app.identity_provider.token = "another"  # noqa: S105 - of nobody
            await client.say("execute_diagram", diagram=QUICK)
            return await client.closed()

    assert server(main) == (4401, "not logged in any more")


def test_who_only_listens_is_looked_at_again_from_time_to_time(server):
    async def main(served):
        served.users.limits = replace(served.users.limits, look_again=0.01)
        async with served.client() as client:
            await client.ask("subscribe_monitor")
            served.app.identity_provider.token = "another"  # noqa: S105 - of nobody
            return await client.closed()

    assert server(main)[0] == 4401


class Faulty:
    """An engine with a fault in it, which says what nobody should hear."""

    async def send(self, command):
        raise RuntimeError(f"the secret {TOKEN}")

    async def close(self):
        """There is nothing to close."""


def test_a_fault_of_ours_is_told_by_number_and_no_log_has_the_token(server):
    async def main(served):
        served.app.log.setLevel("DEBUG")
        async with websockets.connect(f"{served.url}?token={TOKEN}", proxy=None) as socket:
            await socket.recv()
            user = served.users.known[0]
            await user._engine.close()
            user._engine = Faulty()
            await socket.send('{"type": "list_executions", "correlation_id": "1"}')
            told = await socket.recv()
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            return told, socket.close_code, served.log

    told, code, log = server(main)

    assert '"code":"internal"' in told
    assert code == 1011
    number = told.partition("at error ")[2][:8]
    assert any(number in line and "RuntimeError" in line for line in log)
    assert not any(TOKEN in line for line in [*log, told])


def test_a_stopped_server_lets_nobody_in(server):
    async def main(served):
        await served.extension.stop_extension()
        async with served.client() as client:
            pytest.fail(f"{client.hello}")

    with pytest.raises(websockets.ConnectionClosed) as closed:
        server(main)

    assert closed.value.rcvd.code == 1012


def test_every_connection_that_is_gone_is_forgotten(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            await client.until("input_required")
            user = served.users.known[0]
            (connection,) = user.connections
            tasks = [connection._writing, *connection._telling._streams.values()]
        await asyncio.wait(tasks)
        return user.connections, user.live == (run,)

    assert server(main) == (set(), True)
