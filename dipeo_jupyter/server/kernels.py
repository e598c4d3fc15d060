"""Kernels that are asked to do what can only be done where a run was started from.

A run asks the one kernel that has started it, or was attached to it, and no other. A kernel that is
not connected has a while to come back; what it was asked is then asked again, and it knows by the
number what it has done already.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..app import Folders
from ..diagram.suggest import did_you_mean
from ..engine.chat import Tool
from ..engine.ports import Job, JobResult, OutsideTool, Services, Toolbox, ToolResult
from ..errors import NodeError, NodeTimeoutError, ServiceError
from ..protocol import kernel as k
from ..protocol.wire import frame
from ..services.keys import is_lent

Say = Callable[[str], None]
"""Tells a kernel a frame, as soon as it takes it."""


@dataclass(frozen=True, slots=True)
class KernelTool(OutsideTool):
    """A function in a kernel."""


@dataclass(slots=True, eq=False)
class _Asked:
    """Something that a kernel is to do, and has not done."""

    request: k.KernelRequest
    outcome: asyncio.Future[k.KernelOutcome]
    on_output: Callable[[str], None]


class KernelDesk:
    """One process of a kernel, connected or not: what it offers, and what it is asked.

    Fulfils the port `Kernel`. Without a connection it is given up after `patience` seconds.
    """

    def __init__(self, kernel_id: str, patience: float) -> None:
        self.kernel_id = kernel_id
        self._patience = patience
        self._offer: k.OfferKernel | None = None
        self._functions: Mapping[str, KernelTool] = {}
        self._asked: dict[str, _Asked] = {}
        self._say: Say | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._gone: str | None = "is not connected"

    @property
    def name(self) -> str:
        """As people know it."""
        called = self._offer.called if self._offer else None
        return f"the kernel of {called}" if called else f"the kernel {self.kernel_id[:8]}"

    @property
    def environ(self) -> Mapping[str, str]:
        """The keys, and the addresses of providers, that the kernel knows."""
        lent = self._offer.environ if self._offer else {}
        return {name: value for name, value in lent.items() if is_lent(name)}

    # -- the connection ---------------------------------------------------------------------------

    def connected(self, offer: k.OfferKernel, say: Say) -> list[str]:
        """A connection is there, perhaps again; the numbers of what the kernel is still asked."""
        self._offer, self._say, self._gone = offer, say, None
        self._functions = {each.name: _tool(each) for each in offer.functions}
        self._stop_waiting()
        return [*self._asked]

    def ask_again(self) -> None:
        """Say once more what the kernel may not have heard."""
        if self._say is not None:
            for each in self._asked.values():
                self._say(frame(each.request))

    def disconnected(self, say: Say) -> None:
        """A connection is lost; another may have taken its place already."""
        if self._say != say:
            return
        self._say = None
        loop = asyncio.get_running_loop()
        self._giving_up = loop.call_later(self._patience, self.end, "is not connected any more")

    def end(self, why: str) -> None:
        """Give up whatever it was asked, and say so at once when it is asked for more."""
        self._stop_waiting()
        self._say, self._gone = None, why
        for each in self._asked.values():
            if not each.outcome.done():
                each.outcome.set_exception(self._absent(perhaps_done=True))

    def hear(self, said: k.KernelReply | k.KernelOutput) -> None:
        """Take what the kernel says of a request; of what nobody waits for, nothing."""
        asked = self._asked.get(said.number)
        if asked is None:
            return
        if isinstance(said, k.KernelOutput):
            asked.on_output(said.text)
        elif not asked.outcome.done():
            asked.outcome.set_result(said.outcome)

    # -- what runs ask for ------------------------------------------------------------------------

    def look(self) -> None:
        """Raise `ServiceError` when there is no notebook."""
        if self._gone is not None:
            raise self._absent()
        if self._offer is None or not self._offer.notebook:
            raise ServiceError(f"It needs a notebook, and {self.name} has none.")

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Have a job run among the names of the notebook."""
        self.look()
        work = k.KernelJob(
            code=job.code, inputs=dict(job.inputs), function=job.function, timeout=job.timeout
        )
        outcome = await self._have_done(work, job.idempotency_key, on_output)
        assert isinstance(outcome, k.JobDone)
        return JobResult(outcome.value, outcome.stdout, outcome.returned)

    def function(self, name: str) -> OutsideTool:
        """The function of this name; raises `ServiceError` when there is none."""
        if name not in self._functions:
            hint = did_you_mean(name, self._functions)
            given = hint or f"Write `@dipeo.tool` above `def {name}(…)`, and run that first."
            message = f"There is no function {name!r} among the tools of {self.name}. {given}"
            raise ServiceError(message)
        return self._functions[name]

    async def call(self, name: str, arguments: Mapping[str, object], key: str) -> ToolResult:
        """Have a function called."""
        if self._gone is not None:
            raise self._absent()
        work = k.KernelCall(function=name, arguments=dict(arguments))
        outcome = await self._have_done(work, key, _nobody_looks)
        assert isinstance(outcome, k.CallDone)
        return ToolResult(outcome.text, outcome.images, outcome.failed)

    async def _have_done(
        self, work: k.KernelWork, key: str, on_output: Callable[[str], None]
    ) -> k.KernelOutcome:
        number = uuid.uuid4().hex
        outcome: asyncio.Future[k.KernelOutcome] = asyncio.get_running_loop().create_future()
        request = k.KernelRequest(number=number, key=key or number, work=work)
        self._asked[number] = _Asked(request, outcome, on_output)
        try:
            if self._say is not None:
                self._say(frame(request))
            return _or_raise(await outcome)
        except asyncio.CancelledError:
            if self._say is not None:
                self._say(frame(k.KernelCancel(number=number)))
            raise
        finally:
            del self._asked[number]

    def _absent(self, *, perhaps_done: bool = False) -> ServiceError:
        return ServiceError(
            f"It needs {self.name}, which has started the run and {self._gone}. Go on with the "
            "run in a notebook that has what it needs: `dipeo.resume(id)`.",
            perhaps_done=perhaps_done,
        )

    def _stop_waiting(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


class KernelToolbox:
    """Fulfils the port `Toolbox`: functions of a kernel, all else as in the server."""

    def __init__(self, desk: KernelDesk, others: Toolbox) -> None:
        self._desk = desk
        self._others = others

    def function(self, name: str) -> OutsideTool:
        return self._desk.function(name)

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        return await self._others.of_server(name)

    async def described(self, name: str) -> str:
        return await self._others.described(name)

    async def use(
        self, tool: OutsideTool, arguments: Mapping[str, object], key: str = ""
    ) -> ToolResult:
        if isinstance(tool, KernelTool):
            return await self._desk.call(tool.tool.name, arguments, key)
        return await self._others.use(tool, arguments, key)

    async def aclose(self) -> None:
        await self._others.aclose()


class KernelPlaces:
    """Fulfils the port `Places` for runs that a kernel has started: it lends them what it has."""

    def __init__(self, desk: KernelDesk, folders: Folders) -> None:
        self._desk = desk
        self._folders = folders

    def at(self, folder: str) -> Services:
        services = self._folders.at(folder, self._desk.environ)
        return replace(services, kernel=self._desk, tools=KernelToolbox(self._desk, services.tools))

    async def aclose(self) -> None:
        await self._folders.aclose()


def _tool(offered: k.OfferedFunction) -> KernelTool:
    tool = Tool(offered.name, offered.description, offered.parameters)
    return KernelTool(tool, offered.home, offered.repeatable)


def _or_raise(outcome: k.KernelOutcome) -> k.KernelOutcome:
    if not isinstance(outcome, k.KernelFailed):
        return outcome
    if outcome.why == "service":
        raise ServiceError(outcome.message)
    kind = NodeTimeoutError if outcome.why == "timeout" else NodeError
    raise kind(outcome.message, field=outcome.field, details=outcome.details)


def _nobody_looks(_: str) -> None:
    """What functions print is printed in the notebook."""
