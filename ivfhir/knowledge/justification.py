"""What a protocol says of itself in fixed words: its `relatedArtifact` of type justification.

See http://hl7.org/fhir/R4/metadatatypes.html#RelatedArtifact. Each has a label, such as `nature`,
`standard-treatment` or `evidence`; that of `evidence` begins `Evidence: very low.`
"""

import re
from typing import NamedTuple

from ivfhir.fhir.types import Resource

_GRADED = re.compile(r"Evidence: (?P<strength>[a-z ]+)\.\s*")


class Evidence(NamedTuple):
    """How strong a protocol's evidence is, and what it consists of.

    Attributes:
        strength: in words, `very low`; '' when it is not graded.
        text: the rest of what is said of it; '' when nothing is.
    """

    strength: str
    text: str


def justification(plan_definition: Resource, label: str) -> str:
    """Return the text of that label, '' when there is none."""
    for artifact in plan_definition.get("relatedArtifact", ()):
        if artifact.get("label") == label:
            return str(artifact.get("display", ""))
    return ""


def evidence_of(plan_definition: Resource) -> Evidence:
    """Return the strength of the evidence, apart from the words that follow it."""
    text = justification(plan_definition, "evidence")
    graded = _GRADED.match(text)
    return Evidence(graded["strength"], text[graded.end() :]) if graded else Evidence("", text)
