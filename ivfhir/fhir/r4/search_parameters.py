"""R4's own search parameters (made by tools/r4)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

BASE = "http://hl7.org/fhir/SearchParameter/"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """What R4 says of a search parameter.

    Attributes:
        type: such as token.
        bases: names of the resources that it searches.
    """

    type: str
    bases: tuple[str, ...]


def search_parameter_of(canonical: str) -> SearchParameter | None:
    """Return the search parameter of a canonical, with or without version; None for others."""
    url = canonical.partition("|")[0]
    found = _table().get(url.removeprefix(BASE)) if url.startswith(BASE) else None
    return None if found is None else SearchParameter(found[0], tuple(found[1]))


@cache
def _table() -> dict[str, tuple[str, list[str]]]:
    text = (
        resources.files(__package__).joinpath("search_parameters.json").read_text(encoding="utf-8")
    )
    parsed: dict[str, tuple[str, list[str]]] = json.loads(text)
    return parsed
