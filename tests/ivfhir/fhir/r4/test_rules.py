"""R4's rules, by the element that they are said of."""

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import compile_fhirpath
from ivfhir.fhir.r4 import definition_of, type_names
from ivfhir.fhir.r4.rules import rules_of


def test_an_element_has_its_rules_and_not_those_of_its_bases():
    assert [each.key for each in rules_of("Observation")] == ["obs-6", "obs-7"]
    assert [each.key for each in rules_of("Narrative.div")] == ["txt-1", "txt-2"]
    assert rules_of("Patient") == ()
    assert rules_of("Extension")[0].expression == "extension.exists() != value.exists()"


def test_every_rule_of_a_type_can_be_compiled_strictly():
    refused = []
    for name in sorted(type_names()):
        for rule in rules_of(name):
            try:
                compile_fhirpath(rule.expression, context_type=name, strict=True, several_as=True)
            except FhirPathError as error:
                refused.append((rule.key, error.message))
    assert refused == []
    assert sum(len(rules_of(name)) for name in type_names() if definition_of(name)) > 200
