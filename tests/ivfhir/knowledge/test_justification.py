"""The fixed words of a protocol are found by their label."""

import pytest

from ivfhir.knowledge.justification import Evidence, evidence_of, justification


def plan(**displays: str) -> dict[str, object]:
    artifacts = [
        {"type": "justification", "label": label, "display": display}
        for label, display in displays.items()
    ]
    return {"resourceType": "PlanDefinition", "relatedArtifact": artifacts}


def test_a_text_is_found_by_its_label() -> None:
    assert justification(plan(nature="Draft.", evidence="None."), "nature") == "Draft."
    assert justification(plan(nature="Draft."), "evidence") == ""
    assert justification({"resourceType": "PlanDefinition"}, "nature") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Evidence: very low. One author.", Evidence("very low", "One author.")),
        ("Evidence: high.", Evidence("high", "")),
        ("One author.", Evidence("", "One author.")),
        ("", Evidence("", "")),
    ],
)
def test_the_strength_of_evidence_stands_apart(text: str, expected: Evidence) -> None:
    assert evidence_of(plan(evidence=text)) == expected
