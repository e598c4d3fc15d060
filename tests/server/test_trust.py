"""What a page runs from a file is held to what people have trusted; what clients send is theirs."""

from __future__ import annotations

import json

from .serving import OVER

ASKS = """version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: end, type: endpoint, save_to_file: true, file_path: made.py}
connections: [{from: start, to: end}]
"""


def test_a_diagram_of_the_client_itself_runs_as_it_always_did(server, tmp_path):
    async def main(served):
        async with served.client() as client:
            await client.ask("execute_diagram", diagram=ASKS)
            return await client.until(*OVER)

    assert server(main)["type"] == "execution_completed"
    assert (tmp_path / "root" / "made.py").exists()


def test_a_foreign_one_is_refused_with_what_it_asks_for_and_where(server, tmp_path):
    async def main(served):
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=ASKS, foreign=True)

    refusal = server(main)["payload"]

    assert refusal["code"] == "untrusted"
    (power,) = refusal["powers"]
    assert (power["code"], power["node"], power["line"]) == ("writes_files", "end", 4)
    assert not (tmp_path / "root" / "made.py").exists()


def test_it_runs_with_what_is_granted_and_from_then_on_when_that_is_remembered(server):
    async def main(served):
        async with served.client() as client:
            refused = await client.ask("execute_diagram", diagram=ASKS, foreign=True)
            granted = [each["digest"] for each in refused["payload"]["powers"]]
            fields = {"diagram": ASKS, "foreign": True}
            tries = (
                {"granted": ["0" * 64]},
                {"granted": granted},
                {},
                {"granted": granted, "remember": True},
                {},
            )
            answers = [await client.ask("execute_diagram", **fields, **more) for more in tries]
            return [each["type"] for each in answers]

    assert server(main) == ["error", "ack", "error", "ack", "ack"]


def test_a_client_may_ask_beforehand(server):
    async def main(served):
        async with served.client() as client:
            asked = await client.ask("trust_diagram", diagram=ASKS)
            (power,) = asked["payload"]["result"]
            trusted = await client.ask("trust_diagram", diagram=ASKS, granted=[power["digest"]])
            return power["trusted"], trusted["payload"]["result"][0]["trusted"]

    assert server(main) == (False, True)


def test_a_diagram_in_a_file_that_a_client_names_is_not_its_own(server, tmp_path):
    whole = {
        "version": "light",
        "nodes": [
            {"label": "start", "type": "start"},
            {"label": "part", "type": "sub_diagram", "diagram_name": "part.light.yaml"},
        ],
        "connections": [{"from": "start", "to": "part"}],
    }

    async def main(served):
        (tmp_path / "root" / "part.light.yaml").write_text(ASKS)
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=json.dumps(whole))

    refusal = server(main)["payload"]

    assert (refusal["code"], refusal["powers"][0]["file"]) == ("untrusted", "part.light.yaml")
