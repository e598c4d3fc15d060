"""What a server and the kernel that has started a run say to each other.

Some of what a run does can only be done in its notebook: jobs among its names, and functions that
were given as tools there. The server asks the kernel for it, on the kernel's own connection. A
request has a `number` of its own, and is said again after a connection was lost; the `key` is that
of the effect, which is done once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .commands import OnExecution
from .events import Fact


class OfferedFunction(Fact):
    """A Python function that is a tool; `home` says which version of it."""

    name: str
    description: str = ""
    parameters: dict[str, Any]
    home: str
    repeatable: bool = False


class OfferKernel(Fact):
    """A kernel says what it can be asked for; the result has the numbers of what it still is.

    `process` names this process of the kernel and no later one; `notebook` says whether there is
    one, and what it is `called`. Its runs use the keys, and the addresses of providers, that are
    in its `environ`.
    """

    type: Literal["offer_kernel"] = "offer_kernel"
    process: str = Field(min_length=16, max_length=64)
    notebook: bool = False
    called: str | None = Field(None, max_length=200)
    functions: tuple[OfferedFunction, ...] = ()
    environ: dict[str, str] = Field({}, repr=False)


class AttachKernel(OnExecution):
    """From now on a run asks this kernel, and not the one that it has asked so far."""

    type: Literal["attach_kernel"] = "attach_kernel"


class KernelJob(Fact):
    """Python to be run among the names of the notebook; `timeout` is in seconds."""

    type: Literal["job"] = "job"
    code: str
    inputs: dict[str, Any] = {}
    function: str | None = None
    timeout: float


class KernelCall(Fact):
    """A function to be called."""

    type: Literal["call"] = "call"
    function: str
    arguments: dict[str, Any] = {}


KernelWork = Annotated[KernelJob | KernelCall, Field(discriminator="type")]


class KernelRequest(Fact):
    """Something that the kernel is to do."""

    type: Literal["kernel_request"] = "kernel_request"
    number: str
    key: str
    work: KernelWork


class KernelCancel(Fact):
    """A request that nobody waits for any more."""

    type: Literal["kernel_cancel"] = "kernel_cancel"
    number: str


class KernelOutput(Fact):
    """What is printed in the course of a request."""

    type: Literal["kernel_output"] = "kernel_output"
    number: str
    text: str


class JobDone(Fact):
    """What a job has returned, and printed."""

    type: Literal["job_done"] = "job_done"
    value: Any = None
    stdout: str = ""
    returned: bool = True


class CallDone(Fact):
    """What came of a function; that it `failed` is for the model to know."""

    type: Literal["call_done"] = "call_done"
    text: str = ""
    images: tuple[str, ...] = ()
    failed: bool = False


class KernelFailed(Fact):
    """It could not be done: the code has failed, took too long, or cannot be run there."""

    type: Literal["kernel_failed"] = "kernel_failed"
    why: Literal["code", "timeout", "service"]
    message: str
    field: str | None = None
    details: str | None = None


KernelOutcome = Annotated[JobDone | CallDone | KernelFailed, Field(discriminator="type")]


class KernelReply(Fact):
    """What came of a request."""

    type: Literal["kernel_reply"] = "kernel_reply"
    number: str
    outcome: KernelOutcome


KernelSaid = OfferKernel | AttachKernel | KernelOutput | KernelReply
"""What only a kernel says."""
