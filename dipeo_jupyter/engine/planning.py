"""What a run would do, before it does anything: which results are reused, what is done and why.

The diagram is gone through by the very engine that runs it. What has a recorded result takes it,
just as a run would. What has none is not done, and hands on a *stand-in*: a text that nothing else
can equal. So whatever depends on it is found not to be recorded either, and whatever does not keeps
its result. Where a stand-in decides the way, it goes as it went before. What gives the same each
time without being reused (a job, a file, a human's answer) is assumed to give the same again.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from ..diagram import expression, template
from ..errors import CommandError
from ..protocol import commands as c
from ..protocol import events as e
from .child import Spot, failure_of, said_in
from .children import check_depth, origin_of_part
from .clock import SystemClock
from .context import Part, PartDone
from .effects import NOT_FOUND
from .execution import Execution
from .loading import Compile, past_of_fork
from .moments import Activation
from .names import Names
from .node import ChildResult, EffectPolicy, Node
from .pace import at_length
from .ports import Journal, Services
from .prices import Quote, billed
from .program import Program
from .reuse import Lane, Outcome, Past, choose, key_of, past_of
from .threads import beginning

_OPEN, _CLOSE = "\u27e6not known before ", "\u27e7"
_STAND_IN = re.compile(f"{_OPEN}(.*?){_CLOSE}")
TOKENS = tuple(each for each in e.USAGE if each.endswith("_tokens"))
MOST = 100_000
"""Activations that are foreseen."""


async def plan(
    program: Program,
    command: c.PlanExecution,
    since: e.ExecutionId | None,
    services: Services,
    journal: Journal,
    compile_: Compile,
) -> c.Plan:
    """Foresee a run of a diagram; nothing is done, and no model or human is asked."""
    thread, before = await at_length(beginning, journal, command.thread, since, compile_)
    start = e.ExecutionStarted(
        diagram=command.diagram,
        inputs=command.inputs,
        max_concurrency=1,  # one after the other, in the order of the diagram
        fresh=command.fresh,
        origin=e.Origin(execution_id=since, at=command.at) if since else None,
        values=command.values,
        before=before,
        thread=thread,
    )
    past = await at_length(past_of_fork, journal, start, compile_)
    entries = await at_length(journal.read, since) if since else ()
    foresight = Foresight("plan", program, services, journal, past, compile_)
    foresight.before = past_of(entries).known
    await foresight.foresee(start)
    return foresight.plan()


class Foresight(Execution):
    """A run in which nothing is done; `before` is how the activations ended the last time."""

    def __init__(
        self,
        name: str,
        program: Program,
        services: Services,
        journal: Journal,
        past: Past,
        compile_: Compile,
    ) -> None:
        super().__init__(name, program, services, journal, SystemClock(), past=past)
        self.before: Mapping[str, Outcome] = {}
        self._compile = compile_
        self._rows: list[c.PlannedActivation] = []
        self._doing: dict[str, list[str]] = {}
        self._quotes: dict[str, list[Quote]] = {}
        self._inside: dict[str, e.Usage] = {}
        """What the parts of activations are estimated to take."""
        self._reusing: set[str] = set()
        self._assumed = False
        self._at_least = False

    async def foresee(self, start: e.ExecutionStarted) -> None:
        """Go through it all."""
        self.start(start)
        while calls := list(self._calls.values()):
            await asyncio.wait(calls)

    def plan(self) -> c.Plan:
        """What was foreseen, in the order in which it would happen."""
        return c.Plan(activations=tuple(self._rows))

    def record(self, event: e.AnyEvent) -> None:
        """Nothing is written down: it does not happen."""
        if not event.ephemeral:
            self.state.apply(event)

    async def effect(
        self,
        at: Activation,
        name: str,
        request: Mapping[str, Any],
        work: Callable[[str], Awaitable[Any]],
        policy: EffectPolicy,
        quote: Quote | None = None,
    ) -> e.EffectCompleted:
        key, label = key_of(request), self.program.labels[at.node]
        lane = Lane(self.path, label, at.number, name)
        activation = f"{label}[{at.number}]"
        value = await self.effects.recorded(key, lane, policy)
        reused = value is not NOT_FOUND
        if reused:
            self._reusing.add(activation)
        else:
            value = await self._stand_in(key, lane, request, policy)
            self._doing.setdefault(activation, []).append(self._why(request, activation))
            if quote is not None:
                self._quotes.setdefault(activation, []).append(_without_stand_ins(quote, request))
        return e.EffectCompleted(
            node=label, activation=at.number, effect=name, key=key, value=value, reused=reused
        )

    async def run_part(self, at: Activation, part: Part) -> PartDone:
        """Foresee the part in the same manner: what it will do, the node will do."""
        check_depth(self, part.diagram)
        spot = Spot(self.program.labels[at.node], at.number, part.item)
        activation = f"{spot.label}[{spot.number}]"
        start = await at_length(self._start_of_part, spot, part)
        past = await at_length(past_of_fork, self._journal, start, self._compile)
        inside = Foresight(
            f"{self.execution_id}/{spot}",
            await at_length(self._compile, part.diagram),
            self.services,
            self._journal,
            past,
            self._compile,
        )
        inside.whole, inside.before = self, past.known
        await inside.foresee(start)
        self._assumed |= inside._assumed
        for row in inside.plan().activations:
            if row.estimate is not None:
                self._inside[activation] = self._inside.get(activation, e.Usage()) + row.estimate
                self._at_least |= row.at_least
            if row.action == "run":
                why = f"{row.node}[{row.activation}]: {row.why}"
                self._doing.setdefault(activation, []).extend([why] * row.calls)
            elif row.action == "reuse":
                self._reusing.add(activation)
        result = ChildResult(inside.state.outputs, tuple(said_in(inside.state)))
        return PartDone(result, failure=failure_of(inside))

    def _start_of_part(self, spot: Spot, part: Part) -> e.ExecutionStarted:
        anew = f"{spot.label}[{spot.number}]" in self.past.fresh
        return e.ExecutionStarted(
            diagram=part.diagram,
            inputs=dict(part.inputs),
            max_concurrency=1,
            fresh=self.fresh or anew,
            origin=None if anew else origin_of_part(self._journal, self, spot),
            before=part.before,
        )

    async def outcome(self, activation: Activation, began: float) -> e.AnyEvent:
        if len(self._rows) >= MOST:
            raise CommandError("The plan goes on without end.", code="no_end")
        name = f"{self.program.labels[activation.node]}[{activation.number}]"
        event = await super().outcome(activation, began)
        if name not in self._doing and name not in self._reusing:
            event = self._decided(name, activation, event)
        self._rows.append(self._row(name, activation, event))
        return event

    def _decided(self, name: str, activation: Activation, event: e.AnyEvent) -> e.AnyEvent:
        """Where a stand-in decides, or keeps a node from its work, it goes as it went before."""
        node = self.program.nodes[activation.node]
        handles = node.output_handles()
        failed = isinstance(event, e.NodeFailed)
        # A node with one way on cannot decide; if it failed, the stand-in may be what it failed at.
        if (not failed and len(handles) == 1) or not _stand_ins(
            self._looked_at(node, activation, event)
        ):
            return event
        self._assumed = True
        before = self.before.get(name) or self._last(name)
        chosen = list(before.outputs or ()) if before is not None else list(handles[:1])
        value = next(iter(activation.inputs.values()), None)
        return e.NodeCompleted(
            node=self.program.labels[activation.node],
            activation=activation.number,
            outputs=dict.fromkeys(chosen, value),
        )

    def _looked_at(self, node: Node, activation: Activation, event: e.AnyEvent) -> list[Any]:
        """The values that may have led to this end of a node.

        An expression looks at the values that it names, and a text that cannot be filled in fails
        at one of those; what else there is (how often something has run) is known.
        """
        unused = node.without_effect()
        fields = [field for field in node.expressions if field not in unused]
        if isinstance(event, e.NodeFailed):
            wrong = event.error.field
            fields = [x for x in (*fields, *node.templates) if wrong in node.names_of(x)]
        elif node.expressions and not fields:
            return []
        texts = [(field, getattr(node, field)) for field in fields]
        if not texts or not all(isinstance(text, str) for _, text in texts):
            return [activation.inputs, *(each.outputs for each in activation.past())]
        seen = Names(self.state, activation)
        names = {
            name
            for field, text in texts
            for name in (expression if field in node.expressions else template).names_in(text)
        }
        return [seen[name] for name in sorted(names) if name in seen]

    def _last(self, name: str) -> Outcome | None:
        """How the last of the firings ended: a loop that has gone round enough is left."""
        node = name.rpartition("[")[0]
        firings = [each for each in self.before if each.rpartition("[")[0] == node]
        return self.before[firings[-1]] if firings else None

    def _row(self, name: str, activation: Activation, event: e.AnyEvent) -> c.PlannedActivation:
        doing = self._doing.get(name, [])
        action: c.PlannedAction = "compute"
        why = "costs nothing"
        if isinstance(event, e.NodeFailed):
            action, why = "fail", event.error.message
        elif doing:
            action, why = "run", doing[0]
        elif name in self._reusing or (isinstance(event, e.NodeCompleted) and event.cached):
            action, why = "reuse", "the same was done before"
        return c.PlannedActivation(
            node=self.program.labels[activation.node],
            activation=activation.number,
            node_type=self.program.nodes[activation.node].type,
            action=action,
            why=why,
            calls=len(doing),
            assumed=self._assumed,
            **self._estimate(name),
        )

    def _estimate(self, name: str) -> dict[str, Any]:
        """What an activation will take: each call as much as one did the last time.

        Without a last time, what goes in is estimated from its length. What comes out is not known
        then, unless it is limited.
        """
        quotes = self._quotes.get(name, [])
        last = self.before.get(name)
        used = last.usage if isinstance(last, e.NodeCompleted) else None
        if name in self._inside:
            return {"estimate": self._inside[name], "at_least": self._at_least}
        if not quotes:
            return {}
        if used is None or not used.calls:
            estimate = sum((quote.usage for quote in quotes), e.Usage())
            return {"estimate": estimate, "at_least": True}
        tokens = {each: getattr(used, each) * len(quotes) // used.calls for each in TOKENS}
        whole = e.Usage(**tokens)
        one = e.Usage(**{each: getattr(used, each) // used.calls for each in TOKENS})
        calls = [billed(one, quote.price, quote.images) for quote in quotes]
        money = sum(calls, e.Usage())
        update = {each: getattr(money, each) for each in ("calls", "unpriced", "nano_usd")}
        return {"estimate": whole.model_copy(update=update)}

    def _why(self, request: Mapping[str, Any], activation: str) -> str:
        if activation in self.past.fresh:
            return "asked anew"
        if marks := _stand_ins(request):
            return f"depends on {', '.join(marks)}"
        return "changed" if activation in self.before else "not done before"

    async def _stand_in(
        self, key: str, lane: Lane, request: Mapping[str, Any], policy: EffectPolicy
    ) -> Any:
        """The result of what is not done, in the form that it will have."""
        mark = f"{_OPEN}{lane.node}[{lane.activation}]{lane.effect}{_CLOSE}"
        if "chat" in request:
            return {"text": mark, "known": False}
        if not policy.reuse:
            found = await asyncio.to_thread(self._journal.effects, key)
            if (same := choose(found, lane, self.program.index)) is not None:
                return same.value
        if "tool" in request:
            return {"text": mark}
        return {"images": [mark]} if "draw" in request else mark


def _without_stand_ins(quote: Quote, request: Mapping[str, Any]) -> Quote:
    """How long an answer that is not known will be, nobody knows."""
    text = json.dumps(request, ensure_ascii=False, default=str)
    longer = sum(len(mark[0]) for mark in _STAND_IN.finditer(text))
    return replace(quote, characters=max(0, quote.characters - longer))


def _stand_ins(value: Any) -> list[str]:
    """The activations whose results are not known and are part of a value."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return sorted(set(_STAND_IN.findall(text)))
