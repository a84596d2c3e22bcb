"""The words of a coded resource."""

import re

from ivfhir.fhir.types import Resource

_SEMANTIC_TAG = re.compile(r" \((situation|disorder|finding|procedure|substance)\)$")
"""What ends a SNOMED CT name for machines, and is of no use to a reader."""


LONGEST = 500
"""Characters of the words of an entry that a page shows."""


def coded_text(resource: Resource | None) -> str:
    """Return the words of a coded resource: its own text, else the display of its first code."""
    code = (resource or {}).get("code") or {}
    if code.get("text"):
        return str(code["text"])[:LONGEST]
    codings = [coding for coding in code.get("coding") or () if isinstance(coding, dict)]
    displays = [coding["display"] for coding in codings if coding.get("display")]
    return _SEMANTIC_TAG.sub("", str(displays[0]))[:LONGEST] if displays else ""
