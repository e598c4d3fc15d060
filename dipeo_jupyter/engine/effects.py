"""Doing what counts, at most once: noted before it begins, noted when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from ..errors import JournalError, ServiceError
from ..protocol import events as e
from .budget import Purse
from .moments import Activation
from .node import EffectPolicy
from .observing import Answered, Asked, Unanswered
from .ports import Journal
from .prices import Billed, Quote
from .reuse import Lane, Past, choose, key_of
from .state import ExecutionState

NOT_FOUND = object()
Work = Callable[[str], Awaitable[Any]]

_CHOICES = {"enum": ["repeat", "done"]}


def unknown_effect(what: str = EffectPolicy().what) -> e.Question:
    """What people are asked about an effect of which nobody knows whether it was done."""
    prompt = (
        f"{what} was under way when the run was interrupted, and nobody knows whether it was done. "
        "Look, then choose: `repeat` does it (again), `done` goes on without."
    )
    return e.Question(prompt=prompt, schema_=_CHOICES)


class Host(Protocol):
    """What effects need of the run that they belong to."""

    execution_id: e.ExecutionId
    state: ExecutionState
    past: Past
    path: str
    fresh: bool
    purse: Purse

    @property
    def closing(self) -> bool:
        """Whether nothing begins any more."""
        ...

    def node_of_whole(self, node: int) -> int: ...

    def record(self, event: e.AnyEvent) -> None: ...

    def tell(self, happened: object) -> None:
        """Tell whoever looks on of something that no journal keeps."""
        ...

    def trouble(self, message: str | None) -> None: ...

    async def put_question(
        self, activation: Activation, question: e.Question, spent: int = 0
    ) -> Any: ...


class Effects:
    """The effects of one run. `unknown` are those that may have been done, by node and name."""

    def __init__(self, host: Host, journal: Journal) -> None:
        self._host = host
        self._journal = journal
        self.unknown: set[tuple[int, str]] = set()
        self.well = asyncio.Event()
        """Set while the journal can be written."""
        self.well.set()
        self._begun: dict[asyncio.Future[None], int] = {}
        """By node; each is done when what was begun is over."""

    @property
    def under_way(self) -> set[asyncio.Future[None]]:
        """One for each that works, and does not wait for a human; done when that is over."""
        asking = self._host.state.questions
        return {over for over, node in self._begun.items() if node not in asking}

    async def do(
        self,
        at: Activation,
        name: str,
        request: Mapping[str, Any],
        work: Work,
        policy: EffectPolicy,
        quote: Quote | None = None,
    ) -> e.EffectCompleted:
        """Do something that counts, unless its result is known; see `Context.effect`."""
        host, key, node = self._host, key_of(request), at.node
        done = host.state.effects.get(node, {}).get(name)
        if done is not None and done.key == key:
            return done
        label = host.state.program.labels[node]
        unknown = (node, name) in self.unknown and policy.unknown == "ask"
        value = await self.recorded(key, Lane(host.path, label, at.number, name), policy)
        reused = value is not NOT_FOUND
        if not reused and unknown and policy.look is not None:
            unknown, value = await self._attended(node, self._look(at, name, policy.look))
            reused = value is not None
        if not reused and unknown:
            # An order was for this once. What the effect itself asks comes after.
            spent = host.state.repeats.get(node, 0)
            reused = await host.put_question(at, unknown_effect(policy.what), spent) == "done"
            value = None
        if reused:
            return self._done(at, name, key, value, reused=True)
        if quote is None:
            carrying = self._carry_out(at, name, key, request, work)
            return self._done(at, name, key, await self._attended(node, carrying))
        await host.purse.room_for(quote, host.node_of_whole(node))
        with host.purse.paying(quote):
            carrying = self._carry_out(at, name, key, request, work)
            return self._done(at, name, key, await self._attended(node, carrying))

    def _done(
        self, at: Activation, name: str, key: str, value: Any, *, reused: bool = False
    ) -> e.EffectCompleted:
        usage, replayed = None, False
        if isinstance(value, Billed):
            value, usage, replayed = value
        self.unknown.discard((at.node, name))
        event = e.EffectCompleted(
            node=self._host.state.program.labels[at.node],
            activation=at.number,
            effect=name,
            key=key,
            value=value,
            reused=reused,
            usage=usage,
        )
        self._host.record(event)
        if not reused:
            self._host.tell(Answered(event, replayed))
        if usage is not None:
            self._host.purse.spend(usage)
        return event

    async def recorded(self, key: str, lane: Lane, policy: EffectPolicy) -> Any:
        """What an effect gave before, if that may stand in for it here; else `NOT_FOUND`."""
        past, labels = self._host.past, self._host.state.program.index
        if f"{lane.node}[{lane.activation}]" in past.fresh:
            return NOT_FOUND
        found = past.effect(key, lane, labels)
        if found is None and policy.reuse and not self._host.fresh:
            everywhere = await asyncio.to_thread(self._journal.effects, key)
            found = choose(everywhere, lane, labels)
        return NOT_FOUND if found is None else found.value

    async def _look(self, at: Activation, name: str, look: Work) -> tuple[bool, Any]:
        """Whether it is unknown even after a look, and what it gave when it was done."""
        try:
            return False, await look(self._key(at, name))
        except ServiceError as error:
            if not error.perhaps_done:
                raise
            return True, None

    def _key(self, at: Activation, name: str) -> str:
        """The same whenever it is tried again, and never again for anything else."""
        host = self._host
        return f"{host.execution_id}/{host.state.program.labels[at.node]}[{at.number}]{name}"

    async def _attended(self, node: int, carrying: Coroutine[Any, Any, Any]) -> Any:
        """Let it be known that something is under way, until it is over."""
        over = asyncio.get_running_loop().create_future()
        if self._host.closing:
            carrying.close()
            await over  # it begins when the run is gone on with, and here never
        self._begun[over] = node
        try:
            return await carrying
        finally:
            del self._begun[over]
            over.set_result(None)

    async def _carry_out(
        self, at: Activation, name: str, key: str, request: Mapping[str, Any], work: Work
    ) -> Any:
        """Do it; when that is cut short nobody knows whether it is done."""
        host = self._host
        label = host.state.program.labels[at.node]
        started = e.EffectStarted(node=label, activation=at.number, effect=name, key=key)
        host.record(started)
        await self._safe()
        host.tell(Asked(started, request))
        try:
            return await work(self._key(at, name))
        except asyncio.CancelledError as error:
            self.unknown.add((at.node, name))
            host.tell(Unanswered(started, error))
            raise
        except Exception as error:
            if isinstance(error, ServiceError) and error.perhaps_done:
                self.unknown.add((at.node, name))
            host.tell(Unanswered(started, error))
            raise

    async def _safe(self) -> None:
        """Wait until all that has happened is on the disk, however long that takes."""
        while not self._journal.is_written():
            try:
                await self._journal.written()
            except JournalError as error:
                self._host.trouble(str(error))
                await self.well.wait()
