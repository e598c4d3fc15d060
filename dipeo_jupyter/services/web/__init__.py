"""Requests by HTTP, to public addresses alone.

`service.py` sends them and follows redirects, `connecting.py` is where a name becomes an address,
`answers.py` reads what comes back within limits, `failures.py` says what went wrong.
"""

from .service import WebService

__all__ = ["WebService"]
