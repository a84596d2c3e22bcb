"""Rules about URLs: origins, and which of them a browser and we may trust."""

import ipaddress
import re
from urllib.parse import urlsplit

_URL_CHARACTERS = re.compile(r"[!-~]+")
"""A URL has no spaces or control characters, and writes others in percent-encoding."""


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as a browser writes an Origin; "" when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # A port that is no number, or half of an IPv6 address.
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
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


def is_trustworthy(url: str, *, allow_http: bool = False) -> bool:
    """Tell whether what is sent to the URL stays secret: https, or http on this machine.

    `allow_http` takes http on any machine, for test networks.

    Source: https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
    """
    if not origin_of(url) or not _URL_CHARACTERS.fullmatch(url):
        return False
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or allow_http or is_loopback(url)
