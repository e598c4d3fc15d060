"""One call of a node: its timeout, its retries, and what an error means."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import DipeoError, NodeError, NodeTimeoutError
from ..protocol.events import ErrorInfo
from .clock import Clock
from .node import Context, DefaultValue, Inputs, Node, Result, RetryPolicy
from .program import ERROR

T = TypeVar("T")
NO_RETRY = RetryPolicy(max_attempts=1)


async def call(node: Node, inputs: Inputs, ctx: Context) -> Result:
    """Run a node within its `timeout`, trying again as its `retry` says."""
    if node.timeout is None:
        if node.retry is None and node.default_retry is None:
            return await node.run(inputs, ctx)
        return await ctx.attempt(lambda: node.run(inputs, ctx))
    try:
        async with asyncio.timeout(node.timeout) as limit:
            return await ctx.attempt(lambda: node.run(inputs, ctx))
    except TimeoutError:
        if not limit.expired():
            raise
        message = f"gave no result within its timeout of {node.timeout:g} s"
        raise NodeTimeoutError(message, field="timeout") from None


async def attempt(
    work: Callable[[], Awaitable[T]], node: Node, clock: Clock, report: Callable[[str], None]
) -> T:
    """Do some work of a node, again and again as its `retry` says."""
    policy = node.retry or node.default_retry or NO_RETRY
    for number in range(1, policy.max_attempts):
        try:
            return await work()
        except node.retried_errors as error:
            if not getattr(error, "retryable", True):
                raise
            pause = _pause(policy, number, getattr(error, "retry_after", None))
            report(f"attempt {number} failed ({error}); trying again in {pause:.1f} s")
        await clock.sleep(pause)
    return await work()


def _pause(policy: RetryPolicy, attempt: int, retry_after: float | None) -> float:
    """Seconds before the next attempt; what the service asked for is the least."""
    pause = policy.initial_interval * policy.backoff_factor ** (attempt - 1)
    pause = min(pause, policy.max_interval)
    if policy.jitter:
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
    return max(pause, retry_after or 0.0)


def describe(error: BaseException, node: str, activation: int) -> ErrorInfo:
    """An error as it travels. Foreign exceptions are named; ours speak for themselves."""
    own = isinstance(error, DipeoError)
    return ErrorInfo(
        type=type(error).__name__,
        message=str(error) if own else f"{type(error).__name__}: {error}",
        node=node,
        activation=activation,
        field=error.field if isinstance(error, NodeError) else None,
        details=error.details if isinstance(error, NodeError) else None,
    )


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
