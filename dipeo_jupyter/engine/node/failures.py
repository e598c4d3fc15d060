"""What is done when a node fails: the settings that all nodes have for it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...errors import FailureKind


class RetryPolicy(BaseModel):
    """When and how often to try again after an error that may pass. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = Field(
        3, ge=1, description="How often it is tried in all, the first time included."
    )
    initial_interval: float = Field(
        0.5, ge=0, description="Seconds to wait before the second attempt."
    )
    backoff_factor: float = Field(
        2.0, ge=1, description="How many times longer each wait is than the one before."
    )
    max_interval: float = Field(30.0, ge=0, description="Seconds that no wait is longer than.")
    jitter: bool = Field(default=True, description="Shorten each wait by up to a half, at random.")
    retry_on: tuple[FailureKind, ...] | None = Field(
        None,
        min_length=1,
        description="Only these failures are tried again. By default all that may pass.",
        examples=[["rate_limit", "timeout"]],
    )


class DefaultValue(BaseModel):
    """`on_error: {default: value}`: go on with this value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Any = Field(description="The value to hand on.", examples=["", 0, []])
