"""The list of protocols that are not computable yet."""

from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.planned import planned_protocols


def test_a_protocol_is_planned_or_here_never_both():
    assert not {name for name, _ in planned_protocols()} & set(load_protocols())


def test_a_known_protocol_is_left_out():
    assert [name for name, _ in planned_protocols({"PORT", "LUNG"})] == [
        "LIVER",
        "LMET",
        "REGI",
        "STENT",
        "ROUTE",
    ]
