"""How often the app may be asked: a minute, from one address and for one EHR."""

import ipaddress

from flask import request

from ivfhir.errors import TooManyRequestsError
from smart_app.services import AppServices

_NETWORK_BITS = 64
"""A site or a home has at least so much of IPv6: a single address says nothing."""


def limit_address(app: AppServices, what: str) -> None:
    """Count a request of the client's address, or refuse it.

    Behind `trusted_proxies` the address is the one that the proxies saw.

    Raises:
        TooManyRequestsError: there were too many in the last minute.
    """
    _take(app, what, "address", network_of(request.remote_addr), app.settings.address_per_minute)


def limit_ehr(app: AppServices, what: str, iss: str) -> None:
    """Count a request that concerns an EHR, or refuse it.

    Raises:
        TooManyRequestsError: there were too many in the last minute.
    """
    _take(app, what, "ehr", iss.rstrip("/"), app.settings.ehr_per_minute)


def network_of(address: str | None) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), _NETWORK_BITS), strict=False))
    return str(parsed)


def _take(app: AppServices, what: str, whose: str, key: str, most: int) -> None:
    if most == 0:
        return
    wait_s = app.store.take(what, whose, key, most=most)
    if wait_s:
        app.log.warning("limited", where=f"{what}, {whose}")
        raise TooManyRequestsError(
            f"Too many requests came at once, so this one was not done. Wait {wait_s} seconds and "
            "try again.",
            retry_after_s=wait_s,
        )
