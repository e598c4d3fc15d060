"""Which addresses are public: those that jobs with a network, and requests, may speak with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

# What Python's own tables of some versions take for public.
_NOT_PUBLIC = tuple(
    map(ip_network, ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "fec0::/10", "2001::/23"))
)
# Where clouds tell whoever asks from inside what the machine may do, keys included.
_METADATA = tuple(
    map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32"))
)
_NAT64 = ip_network("64:ff9b::/96")
_NOT_PUBLIC_SAID = (
    "{host} is not a public address. {who} reach those alone, unless the server was started with "
    "DIPEO_SANDBOX_PRIVATE_NETWORK=on."
)
_METADATA_SAID = "{host} is where a cloud tells its machines' secrets. {who} never reach that."


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, by whatever the system knows; raises `OSError` or `UnicodeError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def forbidden(
    host: str, addresses: Iterable[str], *, private: bool, who: str = "Requests"
) -> str | None:
    """Why nobody may speak with a host that has these addresses; None if they may.

    With `private` they may speak with this machine and those around it, too.
    """
    found = [_innermost(ip_address(each.partition("%")[0])) for each in addresses]
    if any(_is_in(each, _METADATA) for each in found):
        return (_METADATA_SAID if private else _NOT_PUBLIC_SAID).format(host=host, who=who)
    if not private and not all(map(_is_public, found)):
        return _NOT_PUBLIC_SAID.format(host=host, who=who)
    return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the internet."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not _is_in(address, _NOT_PUBLIC)


def _is_in(address: IPv4Address | IPv6Address, nets: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in net for net in nets if net.version == address.version)


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An address within an address counts as itself."""
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
