"""What is taken for one client where requests are counted."""

from ipaddress import IPv6Address, IPv6Network


def network_of(address: str) -> str:
    """Return what one client has: an address, or 2**64 of them in IPv6."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))
