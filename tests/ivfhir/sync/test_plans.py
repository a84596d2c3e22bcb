"""Plans of the input taken apart, in time that grows as the input does."""

import json

import pytest

from ivfhir.sync.plans import _Shelf, read_plans
from tests.ivfhir.sync.scene import MRN, named, small, write

PLANS = 200


def signed(number):
    """Return a Bundle of a plan and its signature."""
    plan = named(f"{number}", contained=None, goal=None, activity=None)
    signature = {
        "resourceType": "Provenance",
        "id": f"s{number}",
        "target": [{"reference": f"CarePlan/z{number}"}],
        "recorded": "2025-03-03T10:00:00Z",
    }
    entries = [{"resource": {**plan, "id": f"z{number}"}}, {"resource": signature}]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_each_plan_has_its_own_signature_and_is_not_asked_about_the_others(tmp_path, monkeypatch):
    asked = []
    find = _Shelf.find
    monkeypatch.setattr(
        _Shelf, "find", lambda self, *words: asked.append(words) or find(self, *words)
    )
    lines = [json.dumps(signed(number)) for number in range(PLANS)]
    (tmp_path / "plans.ndjson").write_text("\n".join(lines))
    plans, _ = read_plans([tmp_path])
    assert [list(plan.parts) for plan in plans] == [[f"s{plan.tokens[0].value}"] for plan in plans]
    assert len(asked) < 10 * PLANS


BY_MRN = {"identifier": MRN}
ANOTHER = {"identifier": {**MRN, "value": "somebody else"}}


@pytest.mark.parametrize(
    ("subject", "about", "beside", "refused"),
    [
        ("Patient/p", "Patient/p", [], False),
        ("Patient/p", "https://ehr.example/fhir/Patient/p", [], False),
        ("https://a.example/fhir/Patient/p", "https://b.example/fhir/Patient/p", [], True),
        ("Patient/p", "Patient/q", [], True),
        ("Patient/p", "Patient/q", [("p", MRN), ("q", MRN)], False),
        ("Patient/p", "Patient/q", [("p", MRN)], True),
        ("Patient/p", "Group/g", [], False),
        ("Patient/p", None, [], False),
        (BY_MRN, BY_MRN, [], False),
        (BY_MRN, ANOTHER, [], True),
        (BY_MRN, "Patient/p", [], True),
        (BY_MRN, "Patient/p", [("p", MRN)], False),
        ("Patient/p", ANOTHER, [], False),
        ("Patient/p", ANOTHER, [("p", MRN)], True),
        ("urn:uuid:0c8fd4a1-43a3-5f0e-8f0c-5d6b2a9e7c11", "Patient/p", [], True),
    ],
)
def test_an_order_of_another_patient_is_not_sent_with_the_plan(
    tmp_path, subject, about, beside, refused
):
    def reference(written):
        return {"reference": written} if isinstance(written, str) else written

    people = [
        {"resourceType": "Patient", "id": name, "identifier": [identifier]}
        for name, identifier in beside
    ]
    (look,) = (each for each in small()["contained"] if each["id"] == "look")
    order = {k: v for k, v in look.items() if k != "subject"}
    order |= {} if about is None else {"subject": reference(about)}
    activity = [{"reference": {"reference": "#look"}}]
    plan = small(contained=[order], goal=None, activity=activity, subject=reference(subject))
    entries = [{"resource": each} for each in (plan, *people)]
    write(tmp_path, "plan", {"resourceType": "Bundle", "type": "collection", "entry": entries})
    ((plan,), _) = read_plans([tmp_path])
    assert ("is about" in plan.refusal) is refused


def test_an_order_that_names_a_plan_which_does_not_name_it_is_told(tmp_path):
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "plan"}
    order |= {"subject": {"reference": "Patient/p"}, "basedOn": [{"reference": "CarePlan/x"}]}
    plan = named("x", id="x", contained=None, goal=None)
    plan["activity"] = [{"reference": {"reference": "ServiceRequest/named"}}]
    entries = [plan, {**order, "id": "named"}, {**order, "id": "alone"}]
    entries.append({**order, "id": "other", "basedOn": [{"reference": "CarePlan/unknown"}]})
    bundle = [{"resource": each} for each in entries]
    write(tmp_path, "plan", {"resourceType": "Bundle", "type": "collection", "entry": bundle})
    ((plan,), notes) = read_plans([tmp_path])
    assert list(plan.parts) == ["named"]
    assert notes == (
        "Left out: ServiceRequest/alone is based on a plan that does not name it; name it in the "
        "plan's activity.",
    )


JANUARY, FEBRUARY = ({"lastUpdated": f"2025-0{month}-01T00:00:00Z"} for month in (1, 2))


def bare_plan(value="one", **changes):
    """Return a plan without parts."""
    return named(value, contained=None, goal=None, activity=None, **changes)


def person(*values, **changes):
    """Return Patient/p with identifiers of one system."""
    identifiers = [{**MRN, "value": value} for value in values]
    return {"resourceType": "Patient", "id": "p", "identifier": identifiers} | changes


def bundle(*resources, base=""):
    """Return a Bundle of resources, by their addresses where there is a base."""
    entries = [
        {"resource": each}
        | ({"fullUrl": f"{base}{each['resourceType']}/{each['id']}"} if base else {})
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_what_the_input_holds_twice_the_newer_counts(tmp_path, names):
    plan = bare_plan(id="x") | {"activity": [{"reference": {"reference": "ServiceRequest/s"}}]}
    order = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "intent": "plan"}
    order |= {"subject": {"reference": "Patient/p"}, "basedOn": [{"reference": "CarePlan/x"}]}
    seal = {"resourceType": "Provenance", "id": "v", "target": [{"reference": "CarePlan/x"}]}
    for name, meta, word in zip(names, (JANUARY, FEBRUARY), ("old", "new"), strict=True):
        exported = [
            {**plan, "title": word, "meta": meta},
            {**order, "code": {"text": word}, "meta": meta},
            {**seal, "recorded": meta["lastUpdated"], "meta": meta},
            person("4711", birthDate="1950-01-0" + meta["lastUpdated"][6], meta=meta),
        ]
        (tmp_path / f"{name}.ndjson").write_text("\n".join(map(json.dumps, exported)))
    ((found,), notes) = read_plans([tmp_path])
    assert (found.care_plan["title"], found.refusal, notes) == ("new", "", ())
    assert found.others["Patient/p"]["birthDate"] == "1950-01-02"
    assert {key: each["resourceType"] for key, each in found.parts.items()} == {
        "s": "ServiceRequest",
        "v": "Provenance",
    }
    assert found.parts["s"]["code"] == {"text": "new"}
    assert found.parts["v"]["recorded"] == FEBRUARY["lastUpdated"]


A, B = "https://a.example/fhir/", "https://b.example/fhir/"


@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ([bare_plan(), person("old", meta=JANUARY), person("new", meta=FEBRUARY)], True),
        ([bare_plan(), person("old"), person("old", "new")], False),
        ([bare_plan(), person("old"), person("new")], True),
        ([bare_plan(), person("old"), {"resourceType": "Patient", "id": "p"}], False),
        ([bare_plan(), bundle(person("old"), base=A), bundle(person("new"), base=B)], True),
        ([bare_plan(), person("old"), bundle(person("new"))], True),
        ([bundle(bare_plan(id="x"), person("old")), bundle(person("new"))], False),
        ([bundle(bare_plan(id="x"), person("old"), base=A), bundle(person("new"), base=B)], False),
        ([bundle(bare_plan(id="x"), person("old"), base=A), bundle(person("new"), base=A)], True),
    ],
)
def test_a_plan_of_an_id_that_the_input_gives_to_two_patients_is_refused(tmp_path, inputs, refused):
    for number, each in enumerate(inputs):
        write(tmp_path, f"{number}", each)
    ((plan,), _) = read_plans([tmp_path])
    assert ("Patient/p more than once" in plan.refusal) is refused


def test_a_provenance_of_many_records_refuses_no_plan_for_the_patient_of_another(tmp_path):
    seal = {"resourceType": "Provenance", "recorded": "2025-03-03T10:00:00Z"}
    seal["target"] = [{"reference": name} for name in ("CarePlan/x", "Patient/p")]
    plan = bare_plan(id="x", subject={"reference": "Patient/q"})
    for number, each in enumerate([plan, seal, person("old"), person("new")]):
        write(tmp_path, f"{number}", each)
    ((found,), _) = read_plans([tmp_path])
    assert (found.refusal, len(found.parts)) == ("", 1)


@pytest.mark.parametrize(
    ("reference", "refused", "tokens"),
    [
        (f"{B}Patient/p", True, set()),
        (f"{A}Patient/p", False, {"4711"}),
        (f"{A}Patient/p/_history/2", False, {"4711"}),
        ("Patient/p", False, {"4711"}),
    ],
)
def test_an_absolute_reference_does_not_mean_the_patient_of_another_server(
    tmp_path, reference, refused, tokens
):
    plan = bare_plan(id="x", subject={"reference": reference})
    write(tmp_path, "plan", bundle(plan, person("4711"), base=A))
    ((found,), _) = read_plans([tmp_path])
    assert {each.value for each in found.patient_tokens} == tokens
    assert ("from another server" in found.refusal) is refused


def test_an_absolute_reference_may_mean_what_has_no_address(tmp_path):
    plan = bare_plan(subject={"reference": f"{B}Patient/p"})
    write(tmp_path, "plan", plan)
    write(tmp_path, "patient", person("4711"))
    ((found,), _) = read_plans([tmp_path])
    assert (found.refusal, len(found.patient_tokens)) == ("", 1)


def test_a_relative_reference_means_what_is_of_the_same_server(tmp_path):
    plan = bare_plan(id="x")
    both = (
        bundle(person("elsewhere"), base=B)["entry"] + bundle(plan, person("own"), base=A)["entry"]
    )
    write(tmp_path, "plan", {"resourceType": "Bundle", "type": "collection", "entry": both})
    ((found,), _) = read_plans([tmp_path])
    assert [each.value for each in found.patient_tokens] == ["own"]
    assert found.refusal == ""


def test_an_absolute_reference_means_an_entry_that_has_its_id_in_its_address_alone(tmp_path):
    patient = {k: v for k, v in person("4711").items() if k != "id"}
    entries = [
        {"fullUrl": f"{A}CarePlan/x", "resource": bare_plan()},
        {"fullUrl": f"{A}Patient/p", "resource": patient},
    ]
    write(tmp_path, "plan", {"resourceType": "Bundle", "type": "collection", "entry": entries})
    ((found,), _) = read_plans([tmp_path])
    assert (found.refusal, len(found.patient_tokens)) == ("", 1)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_newer_of_two_copies_is_told_across_time_zones(tmp_path, names):
    for name, title, when in zip(
        names,
        ("newer", "older"),
        ("2025-03-03T09:30:00Z", "2025-03-03T10:00:00+02:00"),
        strict=True,
    ):
        write(tmp_path, name, bare_plan(title=title, meta={"lastUpdated": when}))
    ((found,), _) = read_plans([tmp_path])
    assert (found.care_plan["title"], found.refusal) == ("newer", "")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, False),
        ({"birthDate": "1975"}, False),
        ({"birthDate": "2015-03-01"}, True),
        ({"identifier": [MRN]}, False),
        ({"identifier": [{**MRN, "value": "12"}]}, True),
    ],
)
def test_an_order_of_another_of_the_family_is_not_sent_with_the_plan(tmp_path, changes, refused):
    family = {"system": "https://insurance.example", "value": "family"}
    child = person() | {"id": "q"} | changes
    child["identifier"] = [family, *child["identifier"]]
    (look,) = (each for each in small()["contained"] if each["id"] == "look")
    plan = bare_plan() | {
        "contained": [{**look, "subject": {"reference": "Patient/q"}}],
        "activity": [{"reference": {"reference": "#look"}}],
    }
    whom = person(birthDate="1975-03-01", identifier=[MRN, family])
    for number, each in enumerate((plan, whom, child)):
        write(tmp_path, f"{number}", each)
    ((found,), _) = read_plans([tmp_path])
    assert ("is about Patient/q" in found.refusal) is refused


def test_a_patient_whom_the_input_holds_with_each_plan_is_looked_for_once(tmp_path, monkeypatch):
    asked = []
    look = _Shelf._look
    monkeypatch.setattr(_Shelf, "_look", lambda self, each: asked.append(each) or look(self, each))
    plans = [bare_plan(f"{number}", id=f"x{number}") for number in range(PLANS)]
    lines = [json.dumps(each) for plan in plans for each in (plan, person("4711"))]
    (tmp_path / "plans.ndjson").write_text("\n".join(lines))
    found, _ = read_plans([tmp_path])
    assert [len(plan.patient_tokens) for plan in found] == [1] * PLANS
    assert len(asked) == 1
