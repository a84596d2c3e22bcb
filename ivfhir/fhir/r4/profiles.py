"""The profiles that R4 itself defines (made by tools/r4; what is kept of them stands there)."""

import json
from functools import cache
from importlib import resources
from typing import Any

VERSION = "4.0.1"


def profile_of(canonical: str) -> dict[str, Any] | None:
    """Return the StructureDefinition, with a differential; None where R4 has no such profile.

    Args:
        canonical: with or without version.
    """
    url, _, version = canonical.partition("|")
    return _table().get(url) if version in ("", VERSION) else None


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = resources.files(__package__).joinpath("profiles.json").read_text(encoding="utf-8")
    parsed: dict[str, dict[str, Any]] = json.loads(text)
    return parsed
