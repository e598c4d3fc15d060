"""A kernel's side of what only it can do: what it offers, and how it does what it is asked.

Whatever has been done is not done again for the same effect: not when the server asks once more
because a connection was lost, and not when it does because it was started anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..engine.ports import Job, OutsideTool, Services
from ..errors import CommandError, DipeoError, NodeError, NodeTimeoutError, ServiceError
from ..protocol import kernel as k

MOST_REMEMBERED = 200
"""Effects whose outcome is known, in case that it is asked for again."""
_OUTPUT_PAUSE = 0.2
"""Seconds between two messages about what is printed."""

Tell = Callable[[k.KernelReply | k.KernelOutput], Awaitable[object]]
"""Tells the server something, however long that takes."""

_request: TypeAdapter[k.KernelRequest] = TypeAdapter(k.KernelRequest)


class KernelSide:
    """Does by the services of this process what a server asks for, on one event loop.

    `functions` gives the tools that people have defined so far, and `lent` the variables that its
    runs shall know; `called` is the notebook's name.
    """

    def __init__(
        self,
        services: Services,
        functions: Callable[[], Iterable[OutsideTool]],
        called: str | None = None,
        lent: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._services = services
        self._functions = functions
        self._called = called
        self._lent = lent
        self._process = uuid.uuid4().hex
        self._requests: dict[str, asyncio.Task[None]] = {}
        self._effects: OrderedDict[str, tuple[k.KernelWork, asyncio.Task[k.KernelOutcome]]]
        self._effects = OrderedDict()

    def offer(self) -> k.OfferKernel:
        """What can be asked for at this moment."""
        notebook = True
        try:
            self._services.kernel.look()
        except ServiceError:
            notebook = False
        return k.OfferKernel(
            process=self._process,
            notebook=notebook,
            called=self._called,
            functions=tuple(map(_offered, self._functions())),
            environ=dict(self._lent()),
        )

    def take(self, payload: object, tell: Tell) -> None:
        """Do what is asked for, unless it is under way already."""
        try:
            request = _request.validate_python(payload)
        except ValidationError:
            self._refuse(payload, tell)
            return
        if request.number not in self._requests:
            task = asyncio.create_task(self._answer(request, tell))
            self._requests[request.number] = task
            task.add_done_callback(lambda _: self._requests.pop(request.number, None))

    def _refuse(self, payload: object, tell: Tell) -> None:
        """Say that it is not understood, to a newer server, which would wait for ever."""
        match payload:
            case {"number": str() as number}:
                message = "The kernel does not know what this is. Install the server's version."
                failed = k.KernelFailed(why="service", message=message)
                reply = _reply(k.KernelReply(number=number, outcome=failed), tell)
                task = self._requests[number] = asyncio.create_task(reply)
                task.add_done_callback(lambda _: self._requests.pop(number, None))

    def cancel(self, number: str) -> None:
        """Do it no longer, for nobody waits for it."""
        if (task := self._requests.get(number)) is not None:
            task.cancel()

    def wanted(self, numbers: Sequence[str]) -> None:
        """These are still waited for, and others no more."""
        for each in [number for number in self._requests if number not in numbers]:
            self.cancel(each)

    def close(self) -> None:
        """Stop everything."""
        for task in list(self._requests.values()):
            task.cancel()

    async def _answer(self, request: k.KernelRequest, tell: Tell) -> None:
        output = _Output(request.number, tell)
        outcome = await self._outcome(request, output.add)
        with contextlib.suppress(
            CommandError
        ):  # the server is gone, and asks again if it comes back
            await output.end()
            await _reply(k.KernelReply(number=request.number, outcome=outcome), tell)

    async def _outcome(
        self, request: k.KernelRequest, on_output: Callable[[str], None]
    ) -> k.KernelOutcome:
        known = self._effects.get(request.key)
        if known is not None and known[0] == request.work:
            before = known[1]
            await asyncio.wait({before})
            if not before.cancelled() and not isinstance(before.result(), k.KernelFailed):
                return before.result()
        doing = asyncio.create_task(self._done(request, on_output))
        self._effects[request.key] = (request.work, doing)
        self._effects.move_to_end(request.key)
        while len(self._effects) > MOST_REMEMBERED:
            self._effects.popitem(last=False)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            doing.cancel()
            await asyncio.wait({doing})
            raise

    async def _done(
        self, request: k.KernelRequest, on_output: Callable[[str], None]
    ) -> k.KernelOutcome:
        try:
            match request.work:
                case k.KernelJob() as work:
                    job = Job(
                        "python", work.code, work.inputs, work.function, work.timeout, request.key
                    )
                    done = await self._services.kernel.run(job, on_output)
                    return k.JobDone(value=done.value, stdout=done.stdout, returned=done.returned)
                case k.KernelCall(function=name, arguments=arguments):
                    tools = self._services.tools
                    came = await tools.use(tools.function(name), arguments, request.key)
                    return k.CallDone(text=came.text, images=came.images, failed=came.failed)
        except NodeError as error:
            why = "timeout" if isinstance(error, NodeTimeoutError) else "code"
            return k.KernelFailed(
                why=why, message=str(error), field=error.field, details=error.details
            )
        except DipeoError as error:
            return k.KernelFailed(why="service", message=str(error))
        except Exception as error:  # noqa: BLE001 - a node over there waits for an answer
            return k.KernelFailed(why="code", message=f"{type(error).__name__}: {error}")


class _Output:
    """What a request prints, told a few times a second, in order."""

    def __init__(self, number: str, tell: Tell) -> None:
        self._number, self._tell = number, tell
        self._waiting: list[str] = []
        self._telling: asyncio.Task[None] | None = None

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Wait until all is told."""
        if self._telling is not None:
            await self._telling

    async def _run(self) -> None:
        while self._waiting:
            text, self._waiting = "\n".join(self._waiting), []
            with contextlib.suppress(CommandError):
                await self._tell(k.KernelOutput(number=self._number, text=text))
            await asyncio.sleep(_OUTPUT_PAUSE)


async def _reply(reply: k.KernelReply, tell: Tell) -> None:
    try:
        await tell(reply)
    except CommandError as error:
        if error.code != "too_large":
            raise
        failed = k.KernelFailed(why="code", message=f"What it gives is too large: {error}")
        await tell(k.KernelReply(number=reply.number, outcome=failed))


def _offered(outside: OutsideTool) -> k.OfferedFunction:
    tool = outside.tool
    return k.OfferedFunction(
        name=tool.name,
        description=tool.description,
        parameters=dict[str, Any](tool.parameters),
        home=outside.home,
        repeatable=outside.repeatable,
    )
