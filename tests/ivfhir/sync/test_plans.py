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
