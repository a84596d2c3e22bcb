"""Resources with one value twisted into another kind of JSON: an error is told, none is raised."""

from decimal import Decimal

import pytest

from benchmarks.validators.examples import NO_FHIR
from ivfhir.fhir.json import loads
from ivfhir.validation import validate_resource
from tests.servers.needs import need
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


def holders(value, *, names=()):
    """Yield each object and array inside a value, with the names that lead to it."""
    if isinstance(value, dict | list):
        yield value, names
        for name, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield from holders(each, names=(*names, name) if isinstance(name, str) else names)


def errors(resource):
    return [each for each in validate_resource(resource) if each.severity == "error"]


def twisted(resource, seen):
    """Yield the resource with a value twisted, each in each way, and what became of which.

    Args:
        resource: each value has its own again when the next is twisted.
        seen: two names of each value that was twisted; one of the same names is not again.
    """
    kind = resource["resourceType"]
    for holder, names in holders(resource):
        for name in list(holder) if isinstance(holder, dict) else range(len(holder)):
            value, key = holder[name], ((kind, *names)[-1], name)
            if key in seen:
                continue
            seen.add(key)
            is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            for twist in twists(value):
                if not (is_number and twist == 5):
                    holder[name] = twist
                    yield names, name, twist
            holder[name] = value


def check(resource, seen):
    silent = [each for each in twisted(resource, seen) if not errors(resource)]
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
