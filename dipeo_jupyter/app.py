"""The one place where the parts are put together."""

from __future__ import annotations

import warnings

from .engine.clock import SystemClock
from .engine.engine import Engine
from .engine.execution import Limits
from .engine.ports import Services
from .errors import ServiceError
from .nodes import load_node_types
from .services.demo import DemoLLM
from .services.files import LocalFiles
from .services.journal import open_journal
from .services.key_desk import KeyDesk
from .services.key_stores import Keyring, dotenv_files
from .services.keys import Keys
from .services.llm import LiteLLM, LLMRouter
from .services.notion import NotionService
from .services.redaction import keep_out_of_logs
from .services.sandbox.process import ProcessSandbox
from .settings import Settings


def build_keys(settings: Settings) -> Keys:
    """The keys of this installation, which are in no log from now on."""
    keys = Keys(settings.environ, *dotenv_files(settings.root), keyring=Keyring())
    keep_out_of_logs(keys)
    return keys


def build_key_desk(settings: Settings) -> KeyDesk:
    """Where people see, try and put keys."""
    files = tuple(dotenv_files(settings.root))
    return KeyDesk(build_keys(settings), files, Keyring(), settings.api_bases)


def notion_token(keys: Keys) -> str | None:
    """The token for Notion, if there is one; the service says what to do when there is none."""
    try:
        return keys.get("notion")
    except ServiceError:
        return None


def build_services(settings: Settings) -> Services:
    """The outside world, as the settings describe it."""
    keys = build_keys(settings)
    return Services(
        llm=LLMRouter(DemoLLM(), LiteLLM(keys, settings.api_bases, settings.models)),
        files=LocalFiles(settings.root),
        sandbox=ProcessSandbox(),
        notion=NotionService(lambda: notion_token(keys)),
    )


def build_engine(settings: Settings, services: Services | None = None) -> Engine:
    """An engine for the event loop of whoever calls it."""
    journal, trouble = open_journal(settings.home)
    if trouble:
        warnings.warn(trouble, RuntimeWarning, stacklevel=2)
    return Engine(
        load_node_types(),
        services or build_services(settings),
        journal,
        SystemClock(),
        Limits(settings.max_concurrency, settings.max_rounds),
        keep_last=settings.keep_last,
    )
