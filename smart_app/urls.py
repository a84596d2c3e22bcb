"""Rules about URLs: origins, and which of them a browser and we may trust."""

import ipaddress
from urllib.parse import urlsplit


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as a browser writes an Origin; "" when it has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    try:
        port = parts.port
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, default) else f":{port}")


def is_loopback(url: str) -> bool:
    """Tell whether the URL's host is this machine: localhost or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_trustworthy(url: str) -> bool:
    """Tell whether what is sent to the URL stays secret: https, or http on this machine.

    Source: https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
    """
    parts = urlsplit(url)
    if (
        not origin_of(url)
        or parts.username is not None
        or parts.password is not None
        or parts.fragment
    ):
        return False
    return parts.scheme == "https" or is_loopback(url)
