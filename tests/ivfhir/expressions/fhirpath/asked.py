"""What an expression gives for a resource, as JSON: for the tests of this folder."""

from ivfhir.expressions.fhirpath import Services, compile_fhirpath, to_json
from ivfhir.expressions.values import DateTime

NOW = DateTime((2025, 3, 3, 10, 30, 15, 250), 60)
NOTHING = {"resourceType": "Basic"}
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "gender": "female",
    "birthDate": "1960-05",
    "_birthDate": {"extension": [{"url": "http://x.example/why", "valueString": "told"}]},
    "name": [
        {"use": "official", "family": "Lindqvist", "given": ["Per", "Olof"]},
        {"use": "nickname", "given": [None, "Pelle"], "_given": [{"id": "first"}, None]},
    ],
    "deceasedBoolean": False,
    "contact": [{"name": {"family": "Berg"}}],
}


def ask(text, resource=NOTHING, *, strict=False, typed=False, services=None, variables=None):
    """Return the items as JSON; the expression knows the resource's type where it is typed."""
    type_ = resource["resourceType"] if typed or strict else None
    expression = compile_fhirpath(text, context_type=type_, strict=strict)
    found = expression.evaluate(
        resource, now=NOW, services=services or Services(), variables=variables
    )
    return [to_json(item) for item in found]


def ask_all_ways(text, resource=NOTHING):
    """Return the same, which must be the same whether the type is known and the JSON trusted."""
    plain = ask(text, resource)
    assert ask(text, resource, typed=True) == plain
    type_ = resource["resourceType"]
    careful = compile_fhirpath(text, context_type=type_)._carefully()
    assert [to_json(item) for item in careful.evaluate(resource, now=NOW)] == plain
    return plain
