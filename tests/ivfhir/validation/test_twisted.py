"""Resources with one value twisted into another kind of JSON: an error is told, none is raised."""

from decimal import Decimal

import pytest

from benchmarks.validators.examples import NO_FHIR
from ivfhir.fhir.json import loads
from ivfhir.validation import validate_resource
from tests.servers.needs import need
from tests.twisting import at, twisted, ways_in
from tools.r4 import source

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
UNIT = {"coding": [{"system": "http://unitsofmeasure.org", "code": "mm"}]}
MARRIED = {"coding": [{"code": "M"}, {"code": "S"}]}
FILTER = {"property": "notSelectable", "op": "=", "value": "true"}
PATIENT = {"resourceType": "Patient", "id": "p", "text": TEXT}
RARE = [
    {
        "resourceType": "ResearchElementDefinition",
        "text": TEXT,
        "status": "draft",
        "type": "population",
        "characteristic": [{"definitionCanonical": "http://x.example/d", "unitOfMeasure": UNIT}],
    },
    PATIENT | {"maritalStatus": MARRIED},
    {
        "resourceType": "ValueSet",
        "text": TEXT,
        "url": "http://x.example/v",
        "name": "V",
        "status": "draft",
        "compose": {"include": [{"system": "http://x.example/s", "filter": [FILTER]}]},
    },
    {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": "https://x.example/Patient?name=x"}],
        "entry": [
            {
                "fullUrl": "https://x.example/Patient/p",
                "resource": PATIENT,
                "search": {"mode": "match"},
            }
        ],
    },
]
"""What the smallest examples of R4 do not have."""
LARGE = 3_000
LEFT_OUT = frozenset({"StructureDefinition"})
"""In the smallest a null is right: an extension stands beside it."""


def twists(value):
    return [None, [], {}, "", 5, [value], {"x": 1}]


def errors(resource):
    return [each for each in validate_resource(resource) if each.severity == "error"]


def each_twisted(resource, seen):
    """Twist each value in each way, and yield which one and how while it is twisted.

    Args:
        resource: each value has its own again when the next is twisted.
        seen: two names of each value that was twisted; one of the same names is not again.
    """
    for way in ways_in(resource):
        names = (resource["resourceType"], *(step for step in way[:-1] if isinstance(step, str)))
        key = names[-1], way[-1]
        if key in seen:
            continue
        seen.add(key)
        value = at(resource, way)
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        for odd in twists(value):
            if not (is_number and odd == 5):
                with twisted(resource, way, odd):
                    yield way, odd


def check(resource, seen):
    silent = [each for each in each_twisted(resource, seen) if not errors(resource)]
    assert silent == []
    assert errors(resource) == []


@pytest.mark.parametrize("resource", RARE, ids=lambda each: each["resourceType"])
def test_a_twisted_value_is_an_error(resource):
    check(resource, set())


def test_so_it_is_in_an_example_of_each_type():
    need(source.missing_npm())
    smallest = {}
    for name, text in source.read_files(source.fetch(), "package/"):
        kind = name.partition("-")[0]
        if name in NO_FHIR or kind in LEFT_OUT or len(text) > LARGE:
            continue
        if len(text) < len(smallest.get(kind, (name, text + b" "))[1]):
            smallest[kind] = (name, text)
    examples = [loads(text.decode(), place=name) for name, text in smallest.values()]
    right = [each for each in examples if not errors(each)]
    assert len(right) > 100
    seen = set()
    for each in right:
        check(each, seen)
