"""The card's JavaScript as pages fetch it."""

from __future__ import annotations

import httpx
import pytest

from dipeo_jupyter.built import SCRIPT, script_version

from .serving import TOKEN

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="The card is not built.")
LET_IN = {"Authorization": f"token {TOKEN}"}


async def fetch(served, version, **options):
    url = f"http://127.0.0.1:{served.app.port}{served.app.base_url}dipeo/card/{version}.js"
    async with httpx.AsyncClient(trust_env=False) as browser:
        return await browser.get(url, **options)


def test_a_page_gets_the_script_and_keeps_it(server):
    async def main(served):
        return await fetch(served, script_version(), headers=LET_IN)

    answer = server(main)

    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers["Content-Type"] == "text/javascript; charset=UTF-8"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_page_gets_no_other_version_than_the_one_it_asks_for(server):
    async def main(served):
        return await fetch(served, "0" * 16, headers=LET_IN)

    assert server(main).status_code == 404


def test_nobody_gets_the_script_without_a_token(server):
    async def main(served):
        return await fetch(served, script_version())

    answer = server(main)

    assert answer.status_code in {302, 403}
    assert SCRIPT.read_bytes() not in answer.content
