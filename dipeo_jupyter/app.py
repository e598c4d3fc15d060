"""The one place where the parts are put together."""

from __future__ import annotations

import os
import warnings
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .engine.clock import SystemClock
from .engine.engine import Engine
from .engine.execution import Limits
from .engine.observing import Observer, Observers
from .engine.ports import LLM, OnePlace, Places, Services
from .errors import CommandError, ServiceError
from .nodes import load_node_types
from .services.cassettes import Cassette, CassetteLLM
from .services.collections import SqlCollections
from .services.demo import DemoLLM
from .services.drawings import Drawings
from .services.embeddings import Embeddings
from .services.files import LocalFiles, folder_below
from .services.journal import open_journal
from .services.kernel import Namespace, NotebookKernel, no_notebook
from .services.key_desk import KeyDesk
from .services.key_stores import Keyring, dotenv_files
from .services.keys import Keys
from .services.llm import LiteLLM, LLMRouter
from .services.notion import NotionService
from .services.observing.exporting import provider_for
from .services.observing.run_log import RunLog
from .services.redaction import keep_out_of_logs
from .services.responses import ResponseCache, ResponseFile, SharedResponses, Store
from .services.sandbox.limits import Limits as JobLimits
from .services.sandbox.process import ProcessSandbox
from .services.sandbox.walls import Walls
from .services.tools import FUNCTIONS, Functions, LocalToolbox
from .services.tools.mcp import McpServers
from .services.trust import Trusted
from .services.web import WebService
from .settings import CassetteMode, Settings, api_bases_in

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider


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


def build_llm(settings: Settings, keys: Keys, real: LLM, store: Store | None = None) -> LLM:
    """Whoever speaks with models: all of them, through the cassette if there is one.

    What is in the `store` is not asked.
    """
    asked = ResponseCache(real, store, settings.environ) if store else real
    llm = LLMRouter(DemoLLM(), asked)
    if settings.cassette is None or not settings.taped:
        return llm
    return CassetteLLM(llm, Cassette(settings.cassette), settings.cassette_mode, keys.redact)


def build_response_store(settings: Settings) -> Store | None:
    """Where answers are kept for whoever asks the same, if they are.

    Not beside a cassette: what is recorded there is what models say.
    """
    limits = settings.responses
    if not settings.response_cache or settings.taped:
        return None
    if settings.redis_url is not None:
        return SharedResponses(settings.redis_url, seconds=limits.seconds)
    if settings.home is not None:
        return ResponseFile(settings.home, seconds=limits.seconds, megabytes=limits.megabytes)
    return None


def with_cassette(
    settings: Settings, file: str | Path | None, mode: CassetteMode | None
) -> Settings:
    """The settings with another cassette, or with theirs in another mode.

    Raises `CommandError` for a cassette that cannot be read, or has nothing to be replayed.
    """
    if file is not None:
        before = "auto" if settings.cassette_mode == "off" else settings.cassette_mode
        path = Path(file).expanduser().absolute()  # the current folder may be another one later
        settings = replace(settings, cassette=path, cassette_mode=before)
    settings = replace(settings, cassette_mode=mode or settings.cassette_mode)
    if settings.cassette is None and mode not in (None, "off"):
        raise CommandError(f"Which cassette is to be used with {mode!r}?", code="bad_cassette")
    if settings.cassette is None or not settings.taped:
        return settings
    cassette = Cassette(settings.cassette)
    try:
        answers = len(cassette)
    except ServiceError as error:
        raise CommandError(str(error), code="bad_cassette") from None
    if settings.cassette_mode == "replay" and not answers:
        message = f"There is nothing to replay in {cassette.name!r}."
        hint = "Record it first, with the mode `auto`."
        raise CommandError(message, code="bad_cassette", hint=hint)
    return settings


MOST_PLACES = 64
"""Folders, each with what was lent for it, whose services are kept; those used last."""


class Folders:
    """Fulfils the port `Places`: the outside world of the folders below a root, as settings say.

    All share what speaks with models, so that there is one worker and one turn; the `functions` are
    tools for models, and the `namespace` is that of the notebook in this process, if it is one's.
    """

    def __init__(
        self,
        settings: Settings,
        functions: Functions = FUNCTIONS,
        namespace: Namespace = no_notebook,
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._models = LiteLLM(build_keys(settings), settings.api_bases, settings.models)
        self._responses = build_response_store(settings)
        self._sandbox = build_sandbox(settings)
        self._kernel = NotebookKernel(namespace)
        self._trust = build_trust(settings)
        self._known: dict[object, Services] = {}

    def at(self, folder: str, lent: Mapping[str, str] = {}) -> Services:
        """See the port. Keys and addresses among the `lent` variables count before all others."""
        place = folder, frozenset(lent.items())
        services = self._known.pop(place, None)
        if services is None:
            services = self._services(folder_below(self._settings.root, folder), lent)
        self._known[place] = services
        if len(self._known) > MOST_PLACES:  # runs that are there hold theirs
            del self._known[next(iter(self._known))]
        return services

    async def aclose(self) -> None:
        for each in self._known.values():
            await each.tools.aclose()
        await self._sandbox.aclose()

    def _services(self, root: Path, lent: Mapping[str, str]) -> Services:
        settings = replace(
            self._settings,
            root=root,
            environ=ChainMap(dict(lent), cast(dict[str, str], self._settings.environ)),
            api_bases={**self._settings.api_bases, **api_bases_in(lent)},
        )
        keys = build_keys(settings)
        real = self._models.with_keys(keys, settings.api_bases)
        replaying = settings.taped and settings.cassette_mode == "replay"
        servers = McpServers(root, settings.environ, keys.redact)
        return Services(
            llm=build_llm(settings, keys, real, self._responses),
            files=LocalFiles(root),
            sandbox=self._sandbox,
            notion=NotionService(lambda: notion_token(keys)),
            embedder=Embeddings(None if replaying else real),
            tools=LocalToolbox(self._functions, servers, keys.redact),
            painter=Drawings(real, replaying=replaying),
            kernel=self._kernel,
            web=WebService(keys.for_host, keys.redact, private=settings.sandbox_private_network),
            collections=SqlCollections(root, settings.databases),
            trust=self._trust,
        )


def build_services(
    settings: Settings,
    functions: Functions = FUNCTIONS,
    namespace: Namespace = no_notebook,
) -> Services:
    """The outside world of the root; see `Folders`."""
    return Folders(settings, functions, namespace).at("")


def build_trust(settings: Settings) -> Trusted:
    """What people have trusted for good."""
    return Trusted(
        settings.trust_file,
        everything=settings.trust == "all",
        walls=settings.sandbox != "off",
    )


def build_sandbox(settings: Settings) -> ProcessSandbox:
    """Where jobs run; some processes wait for one, from the first on."""
    limits = JobLimits(memory=settings.sandbox_memory * 1024**2)
    walls = Walls(settings.sandbox, limits, settings.sandbox_read, settings.pyodide)
    private = settings.sandbox_private_network
    warm = min(4, os.cpu_count() or 1)
    return ProcessSandbox(limits, walls=walls, warm=warm, private=private)


def build_observers(settings: Settings, tracer_provider: TracerProvider | None = None) -> Observers:
    """Whoever looks on at runs: the log, and as the settings say, metrics and traces.

    A `tracer_provider` that is handed in gets the spans whatever the settings say.
    """
    looking: list[Observer] = [RunLog()]
    if settings.metrics:
        from .services.observing.metrics import Metrics  # noqa: PLC0415 - its library takes long

        looking.append(Metrics())
    provider = tracer_provider or provider_for(exported=settings.traces, environ=settings.environ)
    if provider is None:
        return Observers(*looking)
    from .services.observing.tracing import Tracing  # noqa: PLC0415 - only some have its library

    return Observers(*looking, tracer=Tracing(provider, content=settings.traced_content))


def build_engine(
    settings: Settings,
    services: Services | Places | None = None,
    *,
    tracer_provider: TracerProvider | None = None,
) -> Engine:
    """An engine for the event loop of whoever calls it; see `Folders` and `build_observers`."""
    journal, trouble = open_journal(settings.home)
    if trouble:
        warnings.warn(trouble, RuntimeWarning, stacklevel=2)
    return Engine(
        load_node_types(),
        OnePlace(services) if isinstance(services, Services) else services or Folders(settings),
        journal,
        SystemClock(),
        Limits(settings.max_concurrency, settings.max_rounds),
        keep_last=settings.keep_last,
        observers=build_observers(settings, tracer_provider),
    )
