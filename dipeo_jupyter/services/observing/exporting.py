"""Where spans go: to the provider of the application, else by OTLP to where the environment says.

What the address, headers and time limits are, the SDK reads itself: `OTEL_EXPORTER_OTLP_…`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_log = logging.getLogger(__name__)
NOT_INSTALLED = (
    "Runs shall be traced (OTEL_EXPORTER_OTLP_ENDPOINT is set), but OpenTelemetry is not "
    "installed: pip install 'dipeo_jupyter[otel]'"
)
ONLY_HTTP = (
    "Runs are traced by OTLP over HTTP; OTEL_EXPORTER_OTLP_PROTOCOL is {!r}. Set it to "
    "http/protobuf, and the address to the collector's port for HTTP (4318)."
)


def provider_for(*, exported: bool, environ: Mapping[str, str]) -> TracerProvider | None:
    """Who gets the spans; None when nobody wants them.

    A provider that the application has set for the whole process comes first. `exported` says that
    the environment asks for an export.
    """
    if (own := _of_the_application()) is not None:
        return own
    if not exported:
        return None
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
    )
    if protocol != "http/protobuf":
        _log.warning(ONLY_HTTP.format(protocol))
        return None
    try:
        return _exporting(environ.get("OTEL_SERVICE_NAME"))
    except ImportError:
        _log.warning(NOT_INSTALLED)
        return None


def _of_the_application() -> TracerProvider | None:
    # Whoever has set one has imported it; for nobody else it is worth the time.
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - as above

    provider = trace.get_tracer_provider()
    return None if isinstance(provider, trace.ProxyTracerProvider) else provider


@cache
def _exporting(name: str | None) -> TracerProvider:
    """One for the process. It sends what is left when Python ends."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

    resource = Resource.create({} if name else {"service.name": "dipeo_jupyter"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
