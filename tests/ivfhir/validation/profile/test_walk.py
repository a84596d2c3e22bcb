"""What a profile asks beyond R4 is asked at the right place, and told once."""

import pytest

from tests.ivfhir.validation.profile.making import (
    BASE,
    R4,
    TEXT,
    found,
    observation,
    profile,
    texts,
)

CODE = {"coding": [{"system": "http://x.example/s", "code": "a"}]}
COUNT = "profile-cardinality"


def patient(**more):
    return {"resourceType": "Patient", "id": "p", "text": TEXT, **more}


@pytest.mark.parametrize(
    ("id_", "said", "more", "rows"),
    [
        ("Observation.subject", {"min": 1}, {}, [(COUNT, "Observation")]),
        ("Observation.subject", {"min": 1}, {"subject": {"display": "x"}}, []),
        ("Observation.note", {"min": 2}, {"note": [{"text": "x"}]}, [(COUNT, "Observation")]),
        ("Observation.note", {"max": "1"}, {"note": [{"text": "x"}]}, []),
        (
            "Observation.note",
            {"max": "1"},
            {"note": [{"text": "x"}, {"text": "y"}]},
            [(COUNT, "Observation.note[1]")],
        ),
        ("Observation.issued", {"max": "0"}, {}, []),
        (
            "Observation.issued",
            {"max": "0"},
            {"issued": "2020-01-01T00:00:00Z"},
            [(COUNT, "Observation.issued")],
        ),
        ("Observation.value[x]", {"min": 1}, {}, [(COUNT, "Observation")]),
        ("Observation.value[x]", {"min": 1}, {"valueString": "x"}, []),
        (
            "Observation.value[x]",
            {"type": [{"code": "Quantity"}]},
            {"valueString": "x"},
            [("profile-type", "Observation.value.ofType(string)")],
        ),
        (
            "Observation.component.code.text",
            {"min": 1},
            {"component": [{"code": CODE}]},
            [(COUNT, "Observation.component[0].code")],
        ),
        ("Observation.component.code.text", {"min": 1}, {}, []),
        ("Observation.status", {"fixedCode": "final"}, {}, []),
        (
            "Observation.status",
            {"fixedCode": "amended"},
            {},
            [("profile-fixed", "Observation.status")],
        ),
        (
            "Observation.code",
            {"patternCodeableConcept": CODE},
            {},
            [("profile-pattern", "Observation.code")],
        ),
        (
            "Observation.code",
            {"patternCodeableConcept": CODE},
            {"code": {"coding": [{"code": "b"}, {**CODE["coding"][0], "display": "x"}]}},
            [],
        ),
        (
            "Observation.code",
            {"fixedCodeableConcept": CODE},
            {"code": {**CODE, "text": "x"}},
            [("profile-fixed", "Observation.code")],
        ),
    ],
)
def test_an_element_is_asked_what_the_profile_says_of_it(id_, said, more, rows):
    assert found(observation("P", **more), profile("P", (id_, said))) == rows


def test_a_message_says_what_the_profile_expects_and_its_version():
    said = profile("P", ("Observation.subject", {"min": 1}))
    assert texts(observation("P"), said) == [
        "Observation has no subject; P 1.0 asks for it, so add it."
    ]


def test_what_r4_asks_too_is_told_once():
    said = profile("P", ("Observation.status", {"min": 1}), ("Observation.code", {"min": 1}))
    resource = observation("P")
    del resource["status"]
    assert found(resource, said) == [("cardinality", "Observation")]


def test_what_a_reference_of_r4_names_is_told_once():
    resource = observation("P", subject={"reference": "Basic/1"})
    said = profile("P", ("Observation.subject", TARGETS))
    assert found(resource, said, PATIENT) == [("reference-target", "Observation.subject")]


def test_a_value_of_the_wrong_type_is_of_no_slice_either():
    slicing = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "closed"}
    rows = [
        ("Observation.value[x]", {"type": [{"code": "Quantity"}], "slicing": slicing}),
        ("Observation.value[x]:valueQuantity", {"type": [{"code": "Quantity"}]}),
    ]
    place = "Observation.value.ofType(string)"
    assert found(observation("P", valueString="x"), profile("P", *rows)) == [
        ("profile-type", place)
    ]


def test_an_empty_extension_is_told_once():
    said = profile("e", ("Extension.value[x]", {"min": 1}), of="Extension")
    resource = observation(extension=[{"url": BASE + "e"}])
    assert found(resource, said) == [("ext-1", "Observation.extension[0]")]


def test_what_two_profiles_ask_is_told_once():
    rows = ("Observation.subject", {"min": 1})
    both = (profile("P", rows), profile("Q", rows))
    assert found(observation("P", "Q"), *both) == [(COUNT, "Observation")]


@pytest.mark.parametrize(
    ("id_", "first", "second", "more"),
    [
        (
            "Observation.value[x]",
            {"type": [{"code": "Quantity"}]},
            {"type": [{"code": "CodeableConcept"}]},
            {"valueString": "x"},
        ),
        (
            "Observation.value[x]",
            {"maxValueInteger": 1},
            {"maxValueInteger": 2},
            {"valueInteger": 3},
        ),
        ("Observation.note", {"min": 2}, {"min": 3}, {"note": [{"text": "x"}]}),
    ],
)
def test_what_two_profiles_ask_otherwise_is_told_of_both(id_, first, second, more):
    both = (profile("P", (id_, first)), profile("Q", (id_, second)))
    assert len(found(observation("P", "Q", **more), *both)) == 2


def test_a_warning_of_one_profile_hides_no_error_of_another():
    def ruled(name, severity):
        return profile(name, ("Observation", {"constraint": [{**RULE, "severity": severity}]}))

    both = (ruled("P", "warning"), ruled("Q", "error"))
    assert found(observation("P", "Q"), *both) == [("x-1", "Observation")]


def test_a_value_of_another_shape_is_told_by_its_shape():
    said = profile("P", ("Observation.note.text", {"fixedMarkdown": "x"}))
    assert found(observation("P", note="x"), said) == [("json-shape", "Observation.note")]
    assert found(observation("P", note=["x"]), said) == [("json-shape", "Observation.note[0]")]


def test_an_element_that_has_only_an_extension_is_there():
    absent = {"extension": [{"url": f"{R4}data-absent-reason", "valueCode": "unknown"}]}
    said = profile("P", ("Observation.issued", {"min": 1}))
    assert found(observation("P", _issued=absent), said) == []


RULE = {
    "key": "x-1",
    "severity": "error",
    "human": "A subject or a device is needed.",
    "expression": "subject.exists() or device.exists()",
}


def test_a_rule_is_asked():
    said = profile("P", ("Observation", {"constraint": [RULE]}))
    assert found(observation("P"), said) == [("x-1", "Observation")]
    assert found(observation("P", device={"display": "x"}), said) == []
    assert texts(observation("P"), said) == [
        "Observation breaks the rule x-1: A subject or a device is needed (P 1.0)."
    ]


def test_a_rule_about_an_element_is_asked_of_it_with_its_resource():
    rule = {**RULE, "expression": "text.exists() and %resource.status = 'final'"}
    said = profile("P", ("Observation.code", {"constraint": [rule]}))
    assert found(observation("P"), said) == []
    assert found(observation("P", status="amended"), said) == [("x-1", "Observation.code")]


CONCEPT = profile("C", ("CodeableConcept.text", {"min": 1}), of="CodeableConcept")


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("category[0].conformsTo('{}')", True),
        ("category[1].conformsTo('{}')", False),
        ("component.code.conformsTo('{}')", True),
        ("status.conformsTo('{}')", False),
        ("subject.resolve().conformsTo('{}')", False),
    ],
)
def test_a_rule_may_ask_whether_an_element_conforms(expression, holds):
    text = f"{expression.format(BASE + 'C')} = {str(holds).lower()}"
    said = profile("P", ("Observation", {"constraint": [{**RULE, "expression": text}]}))
    resource = observation(
        "P",
        category=[{"text": "x"}, CODE],
        component=[{"code": {"text": "x"}, "valueString": "x"}],
        contained=[{"resourceType": "Patient", "id": "p"}],
        subject={"reference": "#p"},
    )
    assert found(resource, said, CONCEPT, severities=("error", "information")) == []


def test_what_a_rule_asked_of_an_element_is_true_for_its_slice_too():
    rule = {**RULE, "expression": f"category.conformsTo('{BASE}C')"}
    slicing = {"discriminator": [{"type": "profile", "path": "$this"}], "rules": "open"}
    types = {"type": [{"code": "CodeableConcept", "profile": [BASE + "C"]}], "min": 1}
    said = profile(
        "P",
        ("Observation", {"constraint": [rule]}),
        ("Observation.category", {"slicing": slicing}),
        ("Observation.category:c", types),
    )
    assert found(observation("P", category=[{"text": "x"}]), said, CONCEPT) == []


def test_a_rule_about_a_resource_inside_is_asked_for_the_one_that_holds_it():
    def rule(key, resource):
        names = {"%context": "Practitioner", "%resource": resource, "%rootResource": "Patient"}
        types = [f"{each}.type().name = '{name}'" for each, name in names.items()]
        return {**RULE, "key": key, "expression": " and ".join(types)}

    inner = profile(
        "I", ("Practitioner", {"constraint": [rule("x-2", "Practitioner")]}), of="Practitioner"
    )
    types = {"type": [{"code": "Practitioner", "profile": [BASE + "I"]}]}
    outer = {**types, "constraint": [rule("x-1", "Patient")]}
    said = profile("O", ("Patient.contained", outer), of="Patient")
    resource = patient(meta={"profile": [BASE + "O"]})
    resource["contained"] = [{"resourceType": "Practitioner", "id": "c"}]
    resource["generalPractitioner"] = [{"reference": "#c"}]
    assert found(resource, said, inner) == []


@pytest.mark.parametrize(
    ("said", "more", "wrong"),
    [
        ({"minValueDate": "2020-02"}, {"birthDate": "2020-01-31"}, True),
        ({"minValueDate": "2020-02"}, {"birthDate": "2020-02-01"}, False),
        ({"minValueDate": "2020-02"}, {"birthDate": "2020"}, False),
        ({"maxValueDate": "2020-02-03"}, {"birthDate": "2020-02-04"}, True),
        ({"maxValueDate": "2020-02-03"}, {"birthDate": "2020-02-03"}, False),
        ({"maxValueDateTime": "2020-02-03"}, {"birthDate": "2020-02-04"}, False),
        ({"maxLength": 4}, {"birthDate": "2020"}, False),
        ({"maxLength": 4}, {"birthDate": "2020-01"}, True),
    ],
)
def test_a_value_lies_within_bounds(said, more, wrong):
    resource = patient(meta={"profile": [BASE + "P"]}, **more)
    rows = [("profile-value", "Patient.birthDate")] if wrong else []
    assert found(resource, profile("P", ("Patient.birthDate", said), of="Patient")) == rows


@pytest.mark.parametrize(
    ("value", "unit", "wrong"),
    [(2, "g", True), (1, "g", False), (1500, "mg", True), (2, "m", False)],
)
def test_a_quantity_lies_within_bounds_of_its_unit(value, unit, wrong):
    system = "http://unitsofmeasure.org"
    bound = {"maxValueQuantity": {"value": 1, "system": system, "code": "g"}}
    quantity = {"value": value, "system": system, "code": unit}
    said = profile("P", ("Observation.value[x]", bound))
    rows = [("profile-value", "Observation.value.ofType(Quantity)")] if wrong else []
    assert found(observation("P", valueQuantity=quantity), said) == rows


@pytest.mark.parametrize(
    ("type_name", "value", "bound", "wrong"),
    [
        ("Age", 2, "Quantity", True),
        ("Age", 1, "Quantity", False),
        ("Duration", 2, "Quantity", True),
        ("PositiveInt", 2, "Integer", True),
        ("PositiveInt", 1, "Integer", False),
        ("Integer", 2, "Decimal", False),
    ],
)
def test_what_specialises_a_type_lies_within_its_bounds(type_name, value, bound, wrong):
    unit = {"system": "http://unitsofmeasure.org", "code": "h"}
    is_quantity = bound == "Quantity"
    limit = {f"maxValue{bound}": {"value": 1, **unit} if is_quantity else 1}
    said = profile("e", ("Extension.value[x]", limit), of="Extension")
    inside = {"url": BASE + "e"}
    inside[f"value{type_name}"] = {"value": value, **unit} if is_quantity else value
    name = type_name if is_quantity else f"{type_name[0].lower()}{type_name[1:]}"
    place = f"Observation.extension[0].value.ofType({name})"
    told = found(observation(extension=[inside]), said)
    assert [row for row in told if row[0] == "profile-value"] == (
        [("profile-value", place)] if wrong else []
    )


def test_a_warning_stays_one():
    said = profile("P", ("Observation", {"constraint": [{**RULE, "severity": "warning"}]}))
    assert found(observation("P"), said) == []
    assert found(observation("P"), said, severities=("warning",)) == [("x-1", "Observation")]


@pytest.mark.parametrize("expression", ["subject.exists(", "nosuch()", None])
def test_a_rule_that_cannot_be_asked_is_said(expression):
    rule = {name: value for name, value in RULE.items() if name != "expression"}
    rule |= {"expression": expression} if expression else {"xpath": "f:subject"}
    said = profile("P", ("Observation", {"constraint": [rule]}))
    assert found(observation("P"), said) == []
    assert ("profile", "Observation") in found(observation("P"), said, severities=("information",))


def test_a_profile_reuses_no_key_of_r4_unheard():
    rule = {**RULE, "key": "obs-6"}
    said = profile("P", ("Observation", {"constraint": [rule]}))
    assert found(observation("P"), said) == [("obs-6", "Observation")]
    repeated = {**rule, "source": f"{R4}Observation"}
    assert found(observation("P"), profile("P", ("Observation", {"constraint": [repeated]}))) == []


PATIENT = profile("Pat", ("Patient.birthDate", {"min": 1}), of="Patient")
TARGETS = {"type": [{"code": "Reference", "targetProfile": [BASE + "Pat"]}]}
ABOUT = profile("P", ("Observation.subject", TARGETS))
TARGET = ("profile-target", "Observation.subject")


@pytest.mark.parametrize(
    ("subject", "rows"),
    [
        ({"reference": "Patient/1"}, []),
        ({"reference": "Group/1"}, [TARGET]),
        ({"reference": "https://y.example/fhir/Group/1"}, [TARGET]),
        ({"reference": "urn:uuid:2a3d7a72-9b4a-4ba4-9d8a-2a3d7a729b4a"}, []),
        ({"display": "x"}, []),
        ({"reference": "#p"}, [TARGET]),
    ],
)
def test_a_reference_names_what_the_profile_allows(subject, rows):
    contained = [{key: value for key, value in patient().items() if key != "text"}]
    resource = observation("P", subject=subject)
    if "#p" in subject.values():
        resource["contained"] = contained
    assert found(resource, ABOUT, PATIENT) == rows


def test_a_target_in_the_bundle_is_asked_for_its_profile():
    def bundle(**more):
        about = observation("P", subject={"reference": "Patient/p"})
        rows = [about, patient(**more)]
        base = "https://y.example/fhir/"
        entries = [
            {"fullUrl": f"{base}{each['resourceType']}/{each.get('id', 'o')}", "resource": each}
            for each in ({**rows[0], "id": "o"}, rows[1])
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    assert found(bundle(birthDate="2000"), ABOUT, PATIENT) == []
    place = "Bundle.entry[0].resource.subject"
    assert found(bundle(), ABOUT, PATIENT) == [("profile-target", place)]


def test_a_target_that_is_named_by_type_and_id_is_asked_too():
    about = {**observation("P", subject={"reference": "Patient/p"}), "id": "o"}
    entries = [
        {"fullUrl": "https://y.example/fhir/Observation/o", "resource": about},
        {"fullUrl": "urn:uuid:2a3d7a72-9b4a-4ba4-9d8a-2a3d7a729b4a", "resource": patient()},
    ]
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    place = "Bundle.entry[0].resource.subject"
    assert found(whole, ABOUT, PATIENT) == [("profile-target", place)]


def test_a_target_profile_that_nobody_has_is_said():
    resource = observation("P", subject={"reference": "Group/1"})
    assert found(resource, ABOUT) == []
    rows = found(resource, ABOUT, severities=("information",))
    assert rows == [("profile", "Observation.subject")]


EXTENSION = profile(
    "ext",
    ("Extension.value[x]", {"min": 1, "type": [{"code": "string"}]}),
    of="Extension",
)


def test_an_extension_is_asked_for_its_own_definition():
    wrong = {"url": BASE + "ext", "valueInteger": 1}
    place = "Observation.extension[0].value.ofType(integer)"
    assert found(observation(extension=[wrong]), EXTENSION) == [("profile-type", place)]
    assert found(observation(extension=[{**wrong, "url": BASE + "other"}]), EXTENSION) == []


def test_an_extension_of_hl7_that_a_package_defines_is_known():
    newer = {**EXTENSION, "url": f"{R4}newer"}
    resource = observation(extension=[{"url": f"{R4}newer", "valueString": "x"}])
    rows = [("extension-unknown", "Observation.extension[0]")]
    assert found(resource, severities=("warning",)) == rows
    assert found(resource, newer, severities=("warning",)) == []


def test_the_value_of_an_extension_of_r4_is_told_once():
    url = f"{R4}observation-bodyPosition"
    types = {"type": [{"code": "CodeableConcept"}]}
    said = profile("b", ("Extension.value[x]", types), of="Extension")
    resource = observation(extension=[{"url": url, "valueString": "x"}])
    rows = [("extension-value", "Observation.extension[0]")]
    assert found(resource, {**said, "url": url}) == rows


def test_a_type_may_have_a_profile():
    simple = profile("Simple", ("Quantity.unit", {"min": 1}), of="Quantity")
    types = {"type": [{"code": "Quantity", "profile": [BASE + "Simple"]}, {"code": "string"}]}
    said = profile("P", ("Observation.value[x]", types))
    place = "Observation.value.ofType(Quantity)"
    assert found(observation("P", valueQuantity={"value": 1}), said, simple) == [(COUNT, place)]
    assert found(observation("P", valueQuantity={"unit": "mg"}), said, simple) == []
    assert found(observation("P", valueString="x"), said, simple) == []


@pytest.mark.parametrize("code", ["Patient", "DomainResource", "Resource"])
def test_a_resource_inside_may_have_a_profile(code):
    types = {"type": [{"code": code, "profile": [BASE + "Pat"]}]}
    said = profile("B", ("Bundle.entry.resource", types), of="Bundle")
    entry = {"fullUrl": "https://y.example/Patient/p", "resource": patient()}
    whole = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    whole["meta"] = {"profile": [BASE + "B"]}
    assert found(whole, said, PATIENT) == [(COUNT, "Bundle.entry[0].resource")]


def test_of_several_profiles_of_a_type_one_is_enough():
    first = profile("A", ("Quantity.unit", {"min": 1}), of="Quantity")
    second = profile("B", ("Quantity.code", {"min": 1}), of="Quantity")
    types = {"type": [{"code": "Quantity", "profile": [BASE + "A", BASE + "B"]}]}
    said = profile("P", ("Observation.value[x]", types))
    place = "Observation.value.ofType(Quantity)"
    assert found(observation("P", valueQuantity={"unit": "mg"}), said, first, second) == []
    assert found(observation("P", valueQuantity={"value": 1}), said, first, second) == [
        ("profile-type", place)
    ]


def test_a_profile_that_asks_for_itself_ends():
    types = {"type": [{"code": "Extension", "profile": [BASE + "ext"]}]}
    said = profile("ext", ("Extension.extension", {**types, "min": 1}), of="Extension")
    inner = {"url": BASE + "ext", "valueString": "x"}
    outer = {"url": BASE + "ext", "extension": [inner]}
    place = "Observation.extension[0].extension[0]"
    assert found(observation(extension=[outer]), said) == [(COUNT, place)]


def test_references_in_a_circle_end():
    types = {"type": [{"code": "Reference", "targetProfile": [BASE + "P"]}]}
    said = profile("P", ("Observation.hasMember", {**types, "min": 1}))
    rows = [
        {
            "fullUrl": f"https://y.example/Observation/{one}",
            "resource": {
                **observation("P", hasMember=[{"reference": f"Observation/{two}"}]),
                "id": one,
            },
        }
        for one, two in ("ab", "ba")
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": rows}
    assert found(bundle, said) == []
    del rows[1]["resource"]["hasMember"]
    assert found(bundle, said) == [
        ("profile-target", "Bundle.entry[0].resource.hasMember[0]"),
        (COUNT, "Bundle.entry[1].resource"),
    ]


def test_a_row_of_references_is_followed_to_its_end():
    types = {"type": [{"code": "Reference", "targetProfile": [BASE + "P"]}]}
    said = profile("P", ("Observation.hasMember", types), ("Observation.issued", {"min": 1}))
    base = "https://y.example/Observation/"
    rows = [
        {**observation(hasMember=[{"reference": f"Observation/o{n + 1}"}]), "id": f"o{n}"}
        | {"issued": "2020-01-01T00:00:00Z"}
        for n in range(2000)
    ]
    del rows[1990]["issued"]
    rows[0]["meta"] = {"profile": [BASE + "P"]}
    entries = [{"fullUrl": base + each["id"], "resource": each} for each in rows]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    place = "Bundle.entry[0].resource.hasMember[0]"
    assert found(bundle, said) == [("profile-target", place)]
    rows[1990]["issued"] = rows[0]["issued"]
    assert found(bundle, said) == []


def test_items_inside_items_are_those_of_r4_unless_the_profile_names_them():
    inner = {"linkId": "2", "type": "display"}
    outer = {"linkId": "1", "type": "group", "text": "x", "item": [inner]}
    resource = {
        "resourceType": "Questionnaire",
        "meta": {"profile": [BASE + "P"]},
        "text": TEXT,
        "status": "draft",
        "item": [outer],
    }
    first = ("Questionnaire.item.text", {"min": 1})
    second = ("Questionnaire.item.item.text", {"min": 1})
    assert found(resource, profile("P", first, of="Questionnaire")) == []
    assert found(resource, profile("P", first, second, of="Questionnaire")) == [
        (COUNT, "Questionnaire.item[0].item[0]")
    ]


def test_the_profile_of_another_type_is_said():
    resource = patient(meta={"profile": [BASE + "P"]})
    assert found(resource, profile("P")) == [("profile-type", "Patient")]
