"""Which addresses are public: those that jobs with a network, and requests, may speak with."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# What Python's own tables of some versions take for public.
_NOT_PUBLIC = tuple(
    map(ip_network, ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "fec0::/10", "2001::/23"))
)
_NAT64 = ip_network("64:ff9b::/96")
NOT_PUBLIC = (
    "{host} is not a public address. {who} reach those alone, unless the server was started with "
    "DIPEO_SANDBOX_PRIVATE_NETWORK=on."
)


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, by whatever the system knows; raises `OSError` or `UnicodeError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def is_public(text: str) -> bool:
    """Whether an address is one of the internet; an address within an address counts as itself."""
    address = _innermost(ip_address(text.partition("%")[0]))
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in net for net in _NOT_PUBLIC if net.version == address.version)


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or int(address) < 2**32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_one_of(host: str, written: str) -> bool:
    """Whether a host is the one that is written, or below `*.example.org`."""
    host, written = host.lower().rstrip("."), written.lower().rstrip(".")
    return host == written or (written.startswith("*.") and host.endswith(written[1:]))
