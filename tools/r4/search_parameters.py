"""R4's own search parameters: what each is of, and of which resources.

    "Patient-birthdate": ["date", ["Patient"]]

The name is the end of the canonical.
"""

import json
from collections.abc import Iterable
from typing import Any

SearchParameters = dict[str, tuple[str, list[str]]]
BASE = "http://hl7.org/fhir/SearchParameter/"
EXAMPLE = "example"


def build_search_parameters(definitions: Iterable[dict[str, Any]]) -> SearchParameters:
    """Return type and resources of each, by the end of its canonical."""
    return {
        each["url"].removeprefix(BASE): (each["type"], each["base"])
        for each in definitions
        if each["resourceType"] == "SearchParameter"
        and each["url"].startswith(BASE)
        and EXAMPLE not in each["url"]
    }


def as_text(search_parameters: SearchParameters) -> str:
    """Return the search parameters as JSON, a line each, in alphabetical order."""
    lines = [
        f"{json.dumps(name)}:{json.dumps(search_parameters[name], separators=(',', ':'))}"
        for name in sorted(search_parameters)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
