"""Items are sorted into slices by each kind of discriminator, and asked what their slice asks."""

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

COUNT, SLICE = "profile-cardinality", "profile-slice"


def slicing(kind, path, rules="open", *, ordered=False):
    discriminator = {"type": kind, "path": path}
    return {"slicing": {"discriminator": [discriminator], "rules": rules, "ordered": ordered}}


def coded(code):
    return {"coding": [{"system": "http://x.example/s", "code": code}]}


def component(code, **more):
    return {"code": coded(code), **more}


A = ("Observation.component:a", {"min": 1, "max": "1"})
A_CODE = ("Observation.component:a.code", {"patternCodeableConcept": coded("a")})
B = ("Observation.component:b", {"max": "1"})
B_CODE = ("Observation.component:b.code", {"patternCodeableConcept": coded("b")})


def sliced(*more, rules="open", ordered=False):
    first = ("Observation.component", slicing("value", "code", rules, ordered=ordered))
    return profile("P", first, A, A_CODE, B, B_CODE, *more)


def with_components(codes):
    return observation("P", component=[component(each, valueString="x") for each in codes])


@pytest.mark.parametrize(
    ("codes", "rows"),
    [
        ("a", []),
        ("ba", []),
        ("xa", []),
        ("b", [(COUNT, "Observation")]),
        ("x", [(COUNT, "Observation")]),
        ("aba", [(COUNT, "Observation.component[2]")]),
        ("abb", [(COUNT, "Observation.component[2]")]),
    ],
)
def test_a_slice_is_there_as_often_as_it_may(codes, rows):
    assert found(with_components(codes), sliced()) == rows


def test_a_message_names_the_slice_and_what_tells_it():
    assert texts(with_components("b"), sliced()) == [
        "Observation has no component of the slice 'a' (code http://x.example/s|a); "
        "P 1.0 asks for it, so add it."
    ]


@pytest.mark.parametrize(
    ("rules", "ordered", "codes", "rows"),
    [
        ("closed", False, "ax", [(SLICE, "Observation.component[1]")]),
        ("closed", False, "ab", []),
        ("openAtEnd", False, "abx", []),
        ("openAtEnd", False, "axb", [(SLICE, "Observation.component[2]")]),
        ("open", True, "ab", []),
        ("open", True, "axb", []),
        ("open", True, "ba", [(SLICE, "Observation.component[1]")]),
    ],
)
def test_a_slicing_has_rules(rules, ordered, codes, rows):
    said = sliced(rules=rules, ordered=ordered)
    assert found(with_components(codes), said) == rows


def test_what_a_slice_asks_is_asked_of_its_items_only():
    said = sliced(("Observation.component:b.value[x]", {"min": 1}))
    resource = observation("P", component=[component("a"), component("b"), component("x")])
    place = "Observation.component[1]"
    assert (COUNT, place) in found(resource, said)
    assert len([row for row in found(resource, said) if row[0] == COUNT]) == 1


def test_an_item_that_lacks_what_r4_asks_for_is_told_once():
    resource = observation("P", component=[{"valueString": "x"}])
    assert found(resource, sliced()) == [("cardinality", "Observation.component[0]")]


def test_a_snapshot_calls_the_type_of_a_slice_backbone_element():
    more = {**A[1], "type": [{"code": "BackboneElement"}]}
    value = ("Observation.component:a.value[x]", {"min": 1})
    first = ("Observation.component", slicing("value", "code"))
    said = profile("P", first, (A[0], more), A_CODE, value, form="snapshot")
    resource = observation("P", component=[component("a")])
    assert (COUNT, "Observation.component[0]") in found(resource, said)


def test_an_element_that_is_missing_altogether_is_one_message():
    said = sliced(("Observation.component", {"min": 1, **slicing("value", "code")}))
    assert found(observation("P"), said) == [(COUNT, "Observation")]


CATEGORY = "Observation.category"


@pytest.mark.parametrize(
    ("discriminator", "slice_", "inside", "good", "bad"),
    [
        (("pattern", "$this"), {"patternCodeableConcept": coded("a")}, (), coded("a"), coded("b")),
        (("value", "$this"), {"fixedCodeableConcept": coded("a")}, (), coded("a"), coded("b")),
        (("value", "coding.code"), {"patternCodeableConcept": coded("a")}, (), coded("a"), {}),
        (
            ("value", "coding.code"),
            {},
            ("coding.code", {"fixedCode": "a"}),
            coded("a"),
            coded("b"),
        ),
        (("value", "coding"), {}, ("coding.code", {"fixedCode": "a"}), coded("a"), coded("b")),
        (("value", "text"), {}, ("text", {"fixedString": "a"}), {"text": "a"}, {"text": "b"}),
        (("exists", "text"), {}, ("text", {"min": 1}), {"text": "a"}, coded("a")),
        (("exists", "text"), {}, ("text", {"max": "0"}), coded("a"), {"text": "a"}),
    ],
)
def test_each_discriminator_tells_the_slice(discriminator, slice_, inside, good, bad):
    rows = [(CATEGORY, slicing(*discriminator)), (f"{CATEGORY}:s", {**slice_, "min": 1})]
    rows += [(f"{CATEGORY}:s.{inside[0]}", inside[1])] if inside else []
    said = profile("P", *rows)
    bad = {**bad, "id": "x"}
    assert found(observation("P", category=[bad, good]), said) == []
    assert found(observation("P", category=[bad]), said) == [(COUNT, "Observation")]


def test_a_required_value_set_tells_a_slice():
    value_set = {
        "resourceType": "ValueSet",
        "url": BASE + "vs",
        "compose": {"include": [{"system": "http://x.example/s", "concept": [{"code": "a"}]}]},
    }
    binding = {"binding": {"strength": "required", "valueSet": BASE + "vs"}, "min": 1}
    said = profile("P", (CATEGORY, slicing("value", "$this")), (f"{CATEGORY}:s", binding))
    assert found(observation("P", category=[coded("a")]), said, value_set) == []
    assert found(observation("P", category=[coded("b")]), said, value_set) == [
        (COUNT, "Observation")
    ]
    unsure = observation("P", category=[coded("b")])
    assert found(unsure, said) == []
    assert found(unsure, said, severities=("warning",)) == [("profile", "Observation")]


def test_the_type_tells_the_slices_of_a_choice():
    quantity = ("Observation.value[x]:valueQuantity", {"type": [{"code": "Quantity"}]})
    unit = ("Observation.value[x]:valueQuantity.unit", {"min": 1})
    first = ("Observation.value[x]", slicing("type", "$this", "closed"))
    said = profile("P", first, quantity, unit)
    place = "Observation.value.ofType(Quantity)"
    assert found(observation("P", valueQuantity={"value": 1}), said) == [(COUNT, place)]
    assert found(observation("P", valueQuantity={"unit": "mg"}), said) == []
    assert found(observation("P", valueString="x"), said) == [
        (SLICE, "Observation.value.ofType(string)")
    ]


@pytest.mark.parametrize(
    ("id_", "rows"),
    [
        ("Observation.value[x]:valueQuantity.unit", []),
        ("Observation.valueQuantity.unit", ["profile-type"]),
    ],
)
def test_a_choice_needs_no_slicing(id_, rows):
    said = profile("P", (id_, {"min": 1}))
    place = "Observation.value.ofType(Quantity)"
    assert found(observation("P", valueQuantity={"value": 1}), said) == [(COUNT, place)]
    assert [each for each, _ in found(observation("P", valueString="x"), said)] == rows


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ({"valueQuantity": {"value": 1}}, [(COUNT, "Observation.value.ofType(Quantity)")]),
        ({"valueString": "x"}, []),
        ({"valueBoolean": True}, [("profile-type", "Observation.value.ofType(boolean)")]),
    ],
)
def test_the_types_of_a_choice_stay_where_one_is_said_apart(value, rows):
    types = {"type": [{"code": "Quantity"}, {"code": "string"}]}
    apart = ("Observation.valueQuantity.unit", {"min": 1})
    said = profile("P", ("Observation.value[x]", types), apart)
    assert found(observation("P", **value), said) == rows


def test_two_that_are_said_apart_do_not_narrow_a_choice():
    apart = [(f"Observation.value{each}", {"max": "1"}) for each in ("Quantity", "String")]
    assert found(observation("P", valueBoolean=True), profile("P", *apart)) == []


def test_extensions_are_sliced_by_url_unsaid():
    ext = profile("ext", ("Extension.value[x]", {"min": 1}), of="Extension")
    types = {"type": [{"code": "Extension", "profile": [BASE + "ext"]}], "min": 1}
    said = profile("P", ("Observation.extension:e", types))
    good = {"url": BASE + "ext", "valueString": "x"}
    other = {"url": BASE + "other", "valueString": "x"}
    assert found(observation("P", extension=[other, good]), said, ext) == []
    assert found(observation("P", extension=[other]), said, ext) == [(COUNT, "Observation")]
    assert found(observation("P", extension=[other]), said) == [(COUNT, "Observation")]


PATIENT = profile("Pat", ("Patient.birthDate", {"min": 1}), of="Patient")


def bundle(*resources):
    rows = [
        {"fullUrl": f"https://y.example/{r['resourceType']}/{r['id']}", "resource": r}
        for r in resources
    ]
    meta = {"profile": [BASE + "B"]}
    return {"resourceType": "Bundle", "meta": meta, "type": "collection", "entry": rows}


def patient(name, **more):
    return {"resourceType": "Patient", "id": name, "text": TEXT, **more}


ENTRY = "Bundle.entry"


@pytest.mark.parametrize(
    ("kind", "types", "good", "bad"),
    [
        ("type", [{"code": "Patient"}], patient("a"), {**observation(), "id": "o"}),
        (
            "profile",
            [{"code": "Patient", "profile": [BASE + "Pat"]}],
            patient("a", birthDate="2000"),
            patient("b"),
        ),
    ],
)
def test_a_resource_tells_its_slice(kind, types, good, bad):
    rows = [
        (ENTRY, slicing(kind, "resource")),
        (f"{ENTRY}:p", {"min": 1}),
        (f"{ENTRY}:p.resource", {"type": types}),
    ]
    said = profile("B", *rows, of="Bundle")
    assert found(bundle(bad, good), said, PATIENT) == []
    assert found(bundle(bad), said, PATIENT) == [(COUNT, "Bundle")]


@pytest.mark.parametrize(("kind", "target"), [("profile", BASE + "Pat"), ("type", R4 + "Patient")])
def test_what_a_reference_names_tells_its_slice(kind, target):
    types = {"type": [{"code": "Reference", "targetProfile": [target]}], "min": 1}
    rows = [
        ("Observation.focus", slicing(kind, "resolve()")),
        ("Observation.focus:p", types),
    ]
    said = profile("P", *rows)
    resource = {**observation("P", focus=[{"reference": "Patient/a"}]), "id": "o"}
    whole = bundle(resource, patient("a", birthDate="2000"))
    del whole["meta"]
    assert found(whole, said, PATIENT) == []
    resource["focus"] = [{"reference": "Location/l"}]
    whole["entry"].append(
        {
            "fullUrl": "https://y.example/Location/l",
            "resource": {"resourceType": "Location", "id": "l", "text": TEXT},
        }
    )
    assert found(whole, said, PATIENT) == [(COUNT, "Bundle.entry[0].resource")]
    alone = observation("P", focus=[{"reference": "Patient/a"}])
    assert found(alone, said, PATIENT) == []
    assert found(alone, said, PATIENT, severities=("warning",)) == [("profile", "Observation")]


def test_a_slice_may_be_sliced_again():
    rows = [
        (CATEGORY, slicing("exists", "text")),
        (f"{CATEGORY}:s", slicing("value", "coding.code", "closed")),
        (f"{CATEGORY}:s.text", {"min": 1}),
        (f"{CATEGORY}:s/a", {"max": "1"}),
        (f"{CATEGORY}:s/a.coding.code", {"fixedCode": "a"}),
    ]
    said = profile("P", *rows)
    a, b = ({**coded(each), "text": "x"} for each in "ab")
    assert found(observation("P", category=[a, coded("b")]), said) == []
    assert found(observation("P", category=[a, a]), said) == [(COUNT, f"{CATEGORY}[1]")]
    assert found(observation("P", category=[a, b]), said) == [(SLICE, f"{CATEGORY}[1]")]


def test_items_of_no_slice_may_have_one_of_their_own():
    rows = [
        ("Observation.component", slicing("value", "code", "closed")),
        A,
        A_CODE,
        ("Observation.component:@default.value[x]", {"min": 1}),
    ]
    said = profile("P", *rows)
    resource = observation(
        "P", component=[component("a", valueString="x"), component("x", valueString="x")]
    )
    assert found(resource, said) == []
    del resource["component"][1]["valueString"]
    assert (COUNT, "Observation.component[1]") in found(resource, said)


def test_one_of_two_discriminators_may_tell_nothing():
    both = [{"type": "pattern", "path": "code"}, {"type": "pattern", "path": "value"}]
    first = ("Observation.component", {"slicing": {"discriminator": both, "rules": "open"}})
    said = profile("P", first, A, A_CODE)
    assert found(with_components("a"), said) == []
    assert found(with_components("x"), said) == [(COUNT, "Observation")]


def test_a_slice_that_nothing_tells_is_left_alone():
    said = profile("P", ("Observation.component", slicing("value", "code")), A)
    assert found(with_components("x"), said) == []
    assert found(with_components("x"), said, severities=("warning",)) == [
        ("profile", "Observation")
    ]


UNSURE = ("profile", "Observation")
PATIENTS = {"type": [{"code": "Reference", "targetProfile": [R4 + "Patient"]}]}
FAR = {"reference": "https://y.example/unknown"}


def focused(*focus, rules="open", **more):
    rows = [
        ("Observation.focus", slicing("type", "resolve()", rules)),
        ("Observation.focus:p", {**PATIENTS, **more}),
    ]
    contained = [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Location", "id": "l"}]
    resource = observation("P", focus=list(focus), contained=contained)
    resource["subject"] = {"reference": "#p"}
    resource["specimen"] = {"reference": "#l"}
    both = ("error", "warning")
    rows = found(resource, profile("P", *rows), severities=both)
    return [row for row in rows if row[0].startswith("profile")]


P, L = {"reference": "#p"}, {"reference": "#l"}


def test_an_item_that_may_be_of_no_slice_of_a_closed_slicing_is_a_warning():
    assert focused(P, rules="closed") == []
    assert focused(P, L, rules="closed") == [(SLICE, "Observation.focus[1]")]
    assert focused(P, FAR, rules="closed") == [("profile", "Observation.focus[1]")]
    assert focused(P, FAR) == []


def test_items_that_may_be_one_too_many_are_a_warning():
    assert focused(P, P, max="1") == [(COUNT, "Observation.focus[1]")]
    assert focused(P, FAR, max="1") == [UNSURE]
    assert focused(L, FAR, max="1") == []
    assert focused(FAR, max="0") == [UNSURE]
    assert focused(P, P, FAR, max="1") == [(COUNT, "Observation.focus[1]")]


def test_too_few_are_too_few_whatever_may_be_of_the_slice():
    assert focused(FAR, min=1) == [UNSURE]
    assert focused(P, FAR, min=2) == [UNSURE]
    assert focused(FAR, min=2) == [(COUNT, "Observation")]
    assert focused(P, FAR, min=3) == [(COUNT, "Observation")]


def test_an_item_that_is_surely_not_of_a_slice_makes_it_no_less_missing():
    rows = [
        ("Observation.component", slicing("value", "code")),
        A,
        A_CODE,
        ("Observation.component:u", {"min": 0}),
    ]
    assert found(with_components("b"), profile("P", *rows)) == [(COUNT, "Observation")]


def test_an_item_that_lacks_what_tells_its_slice_is_told_by_r4_alone():
    resource = observation("P", component=[{"valueString": "x"}])
    said = sliced(rules="closed")
    rows = found(resource, said, severities=("error", "warning"))
    assert ("profile", "Observation.component[0]") not in rows
