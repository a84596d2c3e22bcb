"""The address that a token is for: nothing above it, beside it or elsewhere is asked.

Several tenants often share one origin (`/tenant-a/fhir`, `/tenant-b/fhir`), so the origin is not
enough: the path counts as well.
"""

import re
from urllib.parse import urljoin, urlsplit

from ivfhir.errors import UsageError

_URL = re.compile(r"[!-~]+")
_HIDDEN = re.compile(r"%(2e|2f|5c|25|00|3b)", re.IGNORECASE)
"""A dot, slash, backslash, per cent sign, null or semicolon in disguise: no FHIR path has one."""


class BaseAddress:
    """The base URL of a FHIR server.

    Raises:
        UsageError: it is no http address, or holds a name and password, a query or a fragment.
    """

    def __init__(self, url: str) -> None:
        """Take the address apart."""
        self.url = url.rstrip("/") + "/"
        self._origin = _origin(url)
        scheme, host, _ = self._origin
        if scheme not in {"http", "https"} or not host:
            raise UsageError("The server's address must be http://host/… or https://host/….")
        if "@" in urlsplit(url).netloc:
            raise UsageError("The server's address must hold no name or password.")
        if "?" in url or "#" in url:
            raise UsageError("The server's address must hold no query and no fragment (? or #).")
        self._path = urlsplit(self.url).path

    def join(self, link: str) -> str | None:
        """Return the absolute address of a link of the server; None when it is no address."""
        try:
            url = urljoin(self.url, link)
        except ValueError:
            return None
        return url if _URL.fullmatch(url) else None

    def same_origin(self, url: str) -> bool:
        """Tell whether scheme, host and port are the server's."""
        return _origin(url) == self._origin

    def holds(self, url: str) -> bool:
        r"""Tell whether the address is the base or below it, however it is read.

        An address that two readers could understand differently (`..`, `//`, `\`, `%2e`, `%2f`, a
        name before an `@`) is not below it.
        """
        if not self.same_origin(url) or not _URL.fullmatch(url) or "\\" in url:
            return False
        parts = urlsplit(url)
        if "@" in parts.netloc or ";" in parts.path:
            return False
        below = parts.path.removeprefix(self._path.rstrip("/"))
        if below == parts.path and self._path != "/":
            return False
        if below not in ("", "/") and not below.startswith("/"):
            return False
        steps = below.split("/")[1:]
        empty = "" in steps[:-1]
        return not empty and not {".", ".."} & set(steps) and not _HIDDEN.search(below)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port
