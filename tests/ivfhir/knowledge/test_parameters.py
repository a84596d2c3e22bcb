"""The parameters that a protocol's Questionnaire says."""

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.load import load_protocol
from ivfhir.knowledge.parameters import ProtocolParameter, read_parameters


def test_lungs_parameters_are_those_of_the_specification():
    found = {each.name: each for each in load_protocol("LUNG").parameters}
    bounds = {name: (each.default, each.low, each.high) for name, each in found.items()}
    assert bounds == {
        "segments": (4, 4, 6),
        "segment_interval_days": (28, 28, 35),
        "complete_embolisation_segment": (4, 4, 4),
        "partial_embolisation_segment": (1, 1, 1),
        "ia_infusion_minutes": (60, 20, 240),
        "ccs_start_offset_days": (1, 1, 3),
        "response_offset_days": (28, 21, 42),
        "radiotherapy_offset_days": (14, 0, 28),
        "embolic_min_um": (300, 300, 700),
        "vdt_reference_days": (131, 30, 500),
    }
    assert found["segments"].choices == (4, 5, 6)
    assert found["segments"].hint == "From the fifth on, drugs go by vein only."
    assert [name for name, each in found.items() if not each.folded] == [
        "segments",
        "segment_interval_days",
    ]
    assert found["complete_embolisation_segment"].fixed
    assert not found["segment_interval_days"].fixed


def test_a_plain_questionnaire_is_read():
    item = {
        "linkId": "interval_days",
        "text": "Days between sessions",
        "type": "integer",
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 7},
            {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 21},
        ],
        "initial": [{"valueInteger": 14}],
        "item": [{"linkId": "interval_days.hint", "type": "display", "text": "Two weeks."}],
    }
    assert read_parameters({"resourceType": "Questionnaire", "item": [item]}) == (
        ProtocolParameter(
            "interval_days", "Days between sessions", "Two weeks.", 14, 7, 21, (), "", folded=False
        ),
    )
    assert read_parameters({"resourceType": "Questionnaire"}) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "decimal"}, "interval_days is of type decimal"),
        ({"initial": []}, "interval_days has no default"),
    ],
)
def test_a_parameter_that_cannot_be_asked_for_is_not_left_out(changes, said):
    item = {
        "linkId": "interval_days",
        "text": "Days between sessions",
        "type": "integer",
        "initial": [{"valueInteger": 14}],
    }
    questionnaire = {"resourceType": "Questionnaire", "item": [{**item, **changes}]}
    with pytest.raises(KnowledgeError, match=said):
        read_parameters(questionnaire)
