"""HL7's official FHIRPath suite for R4: what fails on purpose is a row of docs/spec-readings.md."""

import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import Node, Services, compile_fhirpath, type_of
from ivfhir.expressions.fhirpath.functions.conversion import to_text
from ivfhir.expressions.fhirpath.nodes import value_of
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.validation import conforms
from tests.official.cases import text_of
from tests.official.fhir_xml import resource_of

READINGS = Path(__file__).parents[4] / "docs" / "spec-readings.md"
NOW = DateTime((2025, 3, 3, 10, 30, 0, 0), 0)
VALID, MUST_FAIL = 900, 35


@pytest.fixture(scope="module")
def suite(official_cases):
    root = ElementTree.fromstring(  # noqa: S314 - the official file
        text_of(official_cases, "r4/fhirpath/tests-fhir-r4.xml")
    )
    return root.findall(".//test")


@pytest.fixture(scope="module")
def inputs(official_cases, suite):
    names = {test.get("inputfile") for test in suite} - {None}
    return {name: read_input(text_of(official_cases, f"r4/{name}")) for name in names}


def read_input(text):
    return loads(text, place="input") if text.lstrip()[0] == "{" else resource_of(text)


def failed(test, inputs):
    """Return why a valid test fails, None where it passes."""
    try:
        found = run(test, inputs)
    except FhirPathError as error:
        return str(error)
    wanted = [(each.get("type"), each.text or "") for each in test.findall("output")]
    if test.get("predicate") == "true":
        return None if bool(found) == (wanted == [("boolean", "true")]) else f"{found}"
    if test.get("ordered") == "false":
        found, wanted = sorted(found, key=said), sorted(wanted, key=lambda each: each[1])
    if len(found) != len(wanted):
        return f"{[said(each) for each in found]}, not {wanted}"
    for item, (type_name, text) in zip(found, wanted, strict=True):
        if not is_type(item, type_name) or not is_text(item, text):
            return f"{said(item)} ({type_of(item)}), not {text} ({type_name})"
    return None


def run(test, inputs, *, strict=False):
    resource = inputs.get(test.get("inputfile"), {"resourceType": "Patient"})
    expression = compile_fhirpath(
        test.find("expression").text,
        context_type=resource["resourceType"] if strict else None,
        strict=strict,
    )
    services = Services(conforms=lambda element, url: conforms(element.value, url))
    return expression.evaluate(resource, now=NOW, services=services)


def said(item):
    value = value_of(item)
    return repr(item) if isinstance(value, Node) else to_text(value)


def is_type(item, wanted):
    if wanted in (None, "date", "dateTime"):
        # The suite says date of what is a dateTime; their texts tell them apart.
        return True
    own = type_of(item).name
    return own == wanted or own == wanted[0].upper() + wanted[1:]


def is_text(item, wanted):
    text = said(item)
    if isinstance(value_of(item), Decimal):
        digits = re.fullmatch(r"-?\d+(\.\d+)?", wanted)
        return digits is not None and Decimal(text) == Decimal(wanted)
    return text == wanted.removeprefix("@").removeprefix("T" if "@T" in wanted else "")


def names_of(tests):
    """Return names; one that comes twice has its number among those of its name behind it."""
    seen, names = {}, []
    for test in tests:
        name = test.get("name")
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def on_purpose():
    """Return the tests that docs/spec-readings.md says we fail."""
    text = READINGS.read_text(encoding="utf-8").partition("## FHIRPath")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return {name for row in rows for name in re.findall(r"`official:([\w#]+)`", row)}


def test_the_valid_cases_that_fail_are_those_that_are_failed_on_purpose(suite, inputs):
    valid = [
        (name, test)
        for name, test in zip(names_of(suite), suite, strict=True)
        if test.find("expression").get("invalid") is None
    ]
    assert len(valid) == VALID
    reasons = {name: failed(test, inputs) for name, test in valid}
    failures = {name: reason for name, reason in reasons.items() if reason is not None}
    told = "\n".join(f"{name}: {reason}" for name, reason in failures.items())
    assert sorted(failures.keys() ^ on_purpose()) == [], told
    assert len(failures) <= VALID * 0.02


def test_every_case_that_must_fail_fails_in_strict_mode(suite, inputs):
    invalid = [test for test in suite if test.find("expression").get("invalid") is not None]
    assert len(invalid) == MUST_FAIL
    for test in invalid:
        with pytest.raises(FhirPathError) as raised:
            run(test, inputs, strict=True)
        assert raised.value.line > 0, test.get("name")


@pytest.mark.parametrize("careful", [False, True], ids=["typed", "careful"])
def test_a_known_type_and_trust_in_shapes_change_no_answer(suite, inputs, careful):
    for test in suite:
        if test.find("expression").get("invalid") is not None or not test.get("inputfile"):
            continue
        resource = inputs[test.get("inputfile")]
        text = test.find("expression").text
        plain = compile_fhirpath(text)
        typed = compile_fhirpath(text, context_type=resource["resourceType"])
        other = typed._carefully() if careful else typed
        assert said_all(other, resource) == said_all(plain, resource), text


def said_all(expression, resource):
    return [(type_of(item).name, said(item)) for item in expression.evaluate(resource, now=NOW)]
