"""Looking on while runs go on: Prometheus metrics, OpenTelemetry spans, log lines.

All three are told of the same events (`engine/observing.py`) and change nothing. Start reading at
`run_log.py`, the shortest. What spans call things is in `genai.py` alone, because the conventions
still change.
"""
