"""A resource that is named by its address on a server, as the server sends it."""

import re

from ivfhir.errors import UsageError
from ivfhir.fhir.references import parse_literal
from ivfhir.servers.limits import MEBIBYTE, Limits

WITHIN_S = 60.0
LIMITS = Limits(total_s=WITHIN_S, answer_bytes=64 * MEBIBYTE)
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def is_address(word: str) -> bool:
    """Tell whether a word of the command line is an address."""
    return word.lower().startswith(("http://", "https://"))


def base_of(url: str) -> str:
    """Return the base of the server of a resource's address.

    Raises:
        UsageError: the address does not end in /Type/ID.
    """
    return _parts(url)[0]


def read_address(url: str, *, token: str | None = None, limits: Limits = LIMITS) -> str:
    """Return the JSON text of a resource.

    Args:
        url: `https://host/fhir/Type/ID`.
        token: OAuth bearer token, None for an open server.
        limits: what the server may answer.

    Raises:
        UsageError: the address does not end in /Type/ID.
        ServerError: the server has none, refuses or fails.
    """
    from ivfhir.servers.http import HttpRepository  # noqa: PLC0415 - costs 0.1 s, files need it not

    base, resource_type, resource_id = _parts(url)
    return HttpRepository(base, token=token, limits=limits).read_text(resource_type, resource_id)


def _parts(url: str) -> tuple[str, str, str]:
    literal = parse_literal(url) if _URL.fullmatch(url) and "@" not in url else None
    if literal is None or not literal.base or f"{literal.base}{literal.key}" != url:
        raise UsageError(
            "A server's address must end in /Type/ID, such as https://host/fhir/Patient/123, "
            "without a query or a password; the token goes into IVFHIR_TOKEN."
        )
    return literal.base, literal.key.resource_type, literal.key.resource_id
