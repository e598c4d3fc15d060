"""Fixtures for tests of the Jupyter server."""

import asyncio

import pytest

from .serving import serving


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Run a test's `async` part with a Jupyter server: `server(main, **settings)`."""
    for name in ("DATA_DIR", "RUNTIME_DIR", "CONFIG_DIR", "CONFIG_PATH"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name))
    root, home = tmp_path / "root", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))

    def run(main, *arguments, config=None, **dipeo):
        async def inside():
            async with serving(root, *arguments, config=config, **dipeo) as served:
                return await main(served)

        return asyncio.run(inside())

    return run
