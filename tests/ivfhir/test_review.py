"""The accepted plan: what becomes active, what stays a draft, and who answers for it."""

import pytest

from ivfhir.errors import UsageError
from ivfhir.review import accept
from tests.ivfhir.small_plan import ACCEPTED_AT, DECISION, DRAFT, VANCE, accepted, draft


def parts(care_plan):
    return {part["id"]: part for part in care_plan["contained"]}


def test_plan_and_group_become_active_and_requests_stay_drafts():
    plan = accepted()
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["author"] == VANCE
    group, request = parts(plan)["group"], parts(plan)["P.1"]
    assert (group["status"], group["intent"]) == ("active", "plan")
    assert (request["status"], request["intent"]) == ("draft", "proposal")
    assert parts(plan)["P-O1"]["lifecycleStatus"] == "proposed"


def test_the_draft_is_left_as_it_is():
    before = draft()
    accept(before, DECISION, practitioner=VANCE, accepted_at=ACCEPTED_AT)
    assert before == DRAFT


def test_the_same_inputs_give_the_same_plan():
    assert accepted() == accepted()


def test_provenance_says_who_when_by_which_rules_and_for_what():
    signature = parts(accepted())["signature"]
    assert signature["recorded"] == ACCEPTED_AT
    assert signature["agent"][0]["who"] == VANCE
    assert signature["agent"][0]["type"]["coding"][0]["code"] == "author"
    assert signature["policy"] == ["https://example.org/PlanDefinition/P|1"]
    assert [target["reference"] for target in signature["target"]] == [
        "#",
        "#group",
        "#P.1",
        "#P-O1",
    ]
    assert "reason" not in signature


def test_provenance_names_the_facts_that_were_shown_with_their_digits():
    assert parts(accepted())["signature"]["entity"] == [
        {
            "role": "source",
            "what": {
                "reference": "Observation/o1",
                "display": "platelets 220.0 10*9/L 2025-02-28",
            },
        }
    ]


def test_provenance_shows_every_criterion_and_escapes_its_words():
    div = parts(accepted())["signature"]["text"]["div"]
    assert "Criteria of P 1 as shown: eligible" in div
    assert "<td>P-I1 Marrow reserve</td><td>met</td><td>platelets 220.0 10*9/L 2025-02-28" in div
    assert "<td>P-X1 Bleeding &lt;tendency&gt;</td><td>unknown</td><td>missing: inr</td>" in div


def test_an_override_stands_in_the_provenance():
    plan = accept(
        draft(),
        DECISION,
        practitioner=VANCE,
        accepted_at=ACCEPTED_AT,
        override_reason="Board <decided>",
    )
    signature = parts(plan)["signature"]
    assert signature["reason"] == [{"text": "Override: Board <decided>"}]
    assert "Override: Board &lt;decided&gt;" in signature["text"]["div"]


def test_the_kind_of_an_override_stands_beside_it():
    plan = accept(
        draft(),
        DECISION,
        practitioner=VANCE,
        accepted_at=ACCEPTED_AT,
        override_reason="Board decided",
        override_kind="Tumour-board decision",
    )
    (reason,) = parts(plan)["signature"]["reason"]
    assert reason == {"text": "Override (Tumour-board decision): Board decided"}


def test_a_replaced_plan_is_named():
    plan = accept(
        draft(), DECISION, practitioner=VANCE, accepted_at=ACCEPTED_AT, replaces=["CarePlan/old"]
    )
    assert plan["replaces"] == [{"reference": "CarePlan/old"}]


def test_only_a_draft_is_accepted():
    with pytest.raises(UsageError, match="draft"):
        accept(accepted(), DECISION, practitioner=VANCE, accepted_at=ACCEPTED_AT)


def test_somebody_must_accept():
    with pytest.raises(UsageError, match="named practitioner"):
        accept(draft(), DECISION, practitioner={}, accepted_at=ACCEPTED_AT)
