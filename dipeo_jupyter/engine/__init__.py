"""How a diagram runs: decides which node runs when, runs it, and remembers.

`compile.py` makes a `Program` of a diagram; `schedule.py` and `state.py` are the pure core (events
in, decisions out); `execution.py` is the only asyncio around it, and `Execution.record` the one
door through which anything becomes so; `engine.py` holds many executions. Node types and services
are handed in; nothing here imports them. Start reading in `schedule.py`.
"""
