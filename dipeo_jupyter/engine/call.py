"""One call of a node: its timeout, its retries, and what an error means."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import TypeVar

from ..errors import DipeoError, NodeError, NodeTimeoutError
from ..protocol.events import ErrorInfo
from .clock import Clock
from .node import Context, DefaultValue, Inputs, Node, Result, RetryPolicy
from .program import ERROR

T = TypeVar("T")
NO_RETRY = RetryPolicy(max_attempts=1)


def call(node: Node, inputs: Inputs, ctx: Context) -> Awaitable[Result]:
    """Run a node within its `timeout`, trying again as its `retry` says: see `Program.plain`.

    What it changes in its inputs is not changed for others, nor for its next attempt.
    """

    def run() -> Awaitable[Result]:
        return node.run(inputs if node.keeps_inputs else deepcopy(inputs), ctx)

    if node.timeout is not None:
        return _in_time(node.timeout, ctx.attempt(run))
    return ctx.attempt(run)


async def _in_time(seconds: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        message = f"gave no result within its timeout of {seconds:g} s"
        raise NodeTimeoutError(message, field="timeout") from None


async def attempt(
    work: Callable[[], Awaitable[T]], node: Node, clock: Clock, report: Callable[[str], None]
) -> T:
    """Do some work of a node, again and again as its `retry` says."""
    policy = node.retry or node.default_retry or NO_RETRY
    interval = policy.initial_interval
    for number in range(1, policy.max_attempts):
        try:
            return await work()
        except node.retried_errors as error:
            kind = getattr(error, "kind", "other")
            wanted = policy.retry_on is None or kind in policy.retry_on
            if not (wanted and getattr(error, "retryable", True)):
                raise
            interval = min(interval, policy.max_interval)
            # What the service asked for is the least.
            pause = max(_spread(interval, policy), getattr(error, "retry_after", None) or 0.0)
            report(f"attempt {number} failed ({error}); trying again in {pause:.1f} s")
        await clock.sleep(pause)
        interval *= policy.backoff_factor
    return await work()


def _spread(interval: float, policy: RetryPolicy) -> float:
    if not policy.jitter:
        return interval
    return interval * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def describe(error: BaseException, node: Node, ctx: Context) -> ErrorInfo:
    """An error as it travels. Foreign exceptions are named; ours speak for themselves."""
    field = error.field if isinstance(error, NodeError) else None
    if field is not None:
        written = next((x.props for x in ctx.diagram.nodes if x.label == ctx.node), {})
        field = node.as_written(field, written)
    return ErrorInfo(
        type=type(error).__name__,
        message=_sentence(error),
        node=ctx.node,
        activation=ctx.activation,
        field=field,
        details=error.details if isinstance(error, NodeError) else None,
    )


def _sentence(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a foreign exception that cannot even say what it is
        text = ""
    if isinstance(error, DipeoError):
        return text
    return f"{name}: {text}" if text else name


def outputs_after(node: Node, error: ErrorInfo) -> dict[str, object] | None:
    """What a failed node hands on, by its `on_error`; None when the run cannot go on."""
    match node.on_error:
        case "continue":
            return {}
        case "edge":
            return {ERROR: {"type": error.type, "message": error.message}}
        case DefaultValue(default=value):
            return {node.handles[0] if node.handles else "default": value}
        case _:
            return None
