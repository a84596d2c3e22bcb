"""Plans of the input taken apart, in time that grows as the input does."""

import json

from ivfhir.sync.plans import _Shelf, read_plans
from tests.ivfhir.sync.scene import named

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
