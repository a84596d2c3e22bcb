"""`$apply` on the vignettes: whole plans, refusals, overrides.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html. Every action's date and window is
compared with hand-worked ones in tests/test_cases.py; here are the dates that section F names.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fhir.resources.R4B.careplan import CarePlan

from ivfhir.activity.due import due_of
from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.expressions.values import Date
from ivfhir.fhir.contained import collection_bundle
from ivfhir.fhir.json import dumps, loads
from ivfhir.knowledge.load import load_protocol
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.plan_text import to_text
from ivfhir.read import PatientRecord
from ivfhir.validation import validate_resource
from tests.cases.case import KNOWLEDGE, load_case

GOLDEN = Path(__file__).parent / "golden"
START = Date((2025, 3, 3))
AS_OF = parse_as_of("2025-03-03", time_zone="UTC", now=datetime(1900, 1, 1, tzinfo=UTC))
SIX = {"segments": 6, "segment_interval_days": 35}
VIGNETTES = {"V01": ("in-v01-standard", {}), "V12": ("in-v12-six-segments", SIX)}


@pytest.fixture(scope="module")
def lung():
    return load_protocol("LUNG")


def record(case, **changes):
    bundle = load_case(KNOWLEDGE / "lung" / "cases" / case).bundle()
    patient, *resources = (entry["resource"] for entry in bundle["entry"])
    return PatientRecord(patient | changes, tuple(resources), {})


def plan(lung, case="in-v01-standard", **inputs):
    return draft_plan(lung, record(case), as_of=AS_OF, start=START, **inputs)


def days(care_plan, prefix):
    """Return the days of the actions whose id starts with the prefix, as MM-DD, in their order."""
    requests = [each for each in care_plan["contained"] if each["id"].startswith(prefix)]
    return [str(due_of(each).day)[5:] for each in requests]


@pytest.mark.parametrize("vignette", VIGNETTES)
def test_whole_care_plan(lung, vignette, pytestconfig):
    case, parameters = VIGNETTES[vignette]
    text = dumps(plan(lung, case, parameters=parameters), indent=1) + "\n"
    path = GOLDEN / f"CarePlan-{vignette}.json"
    if pytestconfig.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_v01_has_the_dates_of_section_f(lung):
    care_plan = plan(lung)
    infusions = ["03-03", "03-03", "03-31", "03-31", "04-28", "04-28", "05-26", "05-26"]
    assert days(care_plan, "LUNG-A03") == infusions
    assert days(care_plan, "LUNG-A02") == ["03-02", "03-30", "04-27", "05-25"]
    assert days(care_plan, "LUNG-A05") == ["03-04", "04-01", "04-29", "05-27"]
    assert days(care_plan, "LUNG-A04") == ["03-03"]
    assert days(care_plan, "LUNG-A09") == ["05-26"]
    assert days(care_plan, "LUNG-A07.1") == ["03-10", "03-17"]
    assert days(care_plan, "LUNG-A08") == ["04-21"]
    assert days(care_plan, "LUNG-A10") == ["06-23"]
    [radiotherapy] = [each for each in care_plan["contained"] if each["id"] == "LUNG-A11"]
    assert due_of(radiotherapy) == ("2025-07-07", "2025-06-23", "2025-07-21")
    assert care_plan["period"] == {"start": "2025-02-17", "end": "2026-06-18"}


def test_v12_has_the_dates_of_section_f(lung):
    care_plan = plan(lung, "in-v12-six-segments", parameters=SIX)
    drugs = [each["id"] for each in care_plan["contained"] if each["id"].endswith(".drug")]
    assert drugs == [f"LUNG-A03.{k}.drug" for k in range(1, 7)]
    day0 = ["03-03", "04-07", "05-12", "06-16", "07-21", "08-25"]
    assert [days(care_plan, drug)[0] for drug in drugs] == day0
    assert days(care_plan, "LUNG-A09") == ["06-16"]
    assert days(care_plan, "LUNG-A08") == ["05-05"]
    assert days(care_plan, "LUNG-A10") == ["09-22"]
    [radiotherapy] = [each for each in care_plan["contained"] if each["id"] == "LUNG-A11"]
    assert due_of(radiotherapy) == ("2025-10-06", "2025-09-22", "2025-10-20")
    ids = {each["id"] for each in care_plan["contained"]}
    assert not ids & {"LUNG-A03.5", "LUNG-A03.6", "LUNG-A06.5", "LUNG-A06.6"}


def test_systemic_segments_give_the_platinum_into_a_vein_and_relate_to_it(lung):
    care_plan = plan(lung, "in-v12-six-segments", parameters=SIX)
    by_id = {each["id"]: each for each in care_plan["contained"]}
    routes = [
        by_id[f"LUNG-A03.{k}.drug"]["dosageInstruction"][0]["route"]["text"] for k in (4, 5, 6)
    ]
    assert routes == ["Intra-arterial", "Intravenous", "Intravenous"]
    actions = {action["id"]: action for action in leaves(by_id["LUNG-group"])}
    for action_id in ("LUNG-A02.5", "LUNG-A05.5.1", "LUNG-A07.5.7", "LUNG-A07.5.14"):
        related = {each["actionId"] for each in actions[action_id]["relatedAction"]}
        assert related == {"LUNG-A03.5.drug"}


def leaves(element):
    for action in element.get("action", []):
        if "resource" in action:
            yield action
        yield from leaves(action)


def test_deferred_actions_are_drafted_with_their_gates(lung):
    group = plan(lung)["contained"][0]
    actions = {action["id"]: action for action in leaves(group)}
    gates = {
        action_id: [each["expression"]["expression"] for each in action["condition"]]
        for action_id, action in actions.items()
        if "condition" in action
    }
    assert gates["LUNG-A03.2"] == ["LUNG_G01", "LUNG_G02", "LUNG_G03"]
    assert gates["LUNG-A04.1"] == ["LUNG_G02", "LUNG_G04"]
    assert gates["LUNG-A09.4"] == ["LUNG_G02"]
    for action_id in ("LUNG-A11", "LUNG-A12"):
        assert "Always drafted" in actions[action_id]["description"]


@pytest.mark.parametrize("vignette", VIGNETTES)
def test_plan_is_r4_and_all_of_it_is_a_draft(lung, vignette):
    case, parameters = VIGNETTES[vignette]
    care_plan = loads(dumps(plan(lung, case, parameters=parameters)), place="the plan")
    for resource in (care_plan, collection_bundle(care_plan)):
        assert [e.text for e in validate_resource(resource) if e.rule != "dom-6"] == []
    CarePlan.model_validate(care_plan)  # Who works with these models can open it.
    for each in [care_plan, *care_plan["contained"]]:
        assert each.get("status", "draft") == "draft"
        assert each.get("intent", "proposal") == "proposal"
        assert "doseAndRate" not in dumps(each)
        assert "doNotPerform" not in each


def test_every_action_names_its_source_and_the_strength_of_evidence(lung):
    for action in leaves(plan(lung)["contained"][0]):
        [graded] = [each for each in action["documentation"] if "document" in each]
        assert graded["label"]
        codes = [
            each["valueCodeableConcept"]["coding"][0]["code"]
            for each in graded["document"]["extension"]
        ]
        assert codes == ["very-low", "weak"]


def test_relations_lead_to_actions_of_the_plan(lung):
    group = plan(lung)["contained"][0]
    ids = {action["id"] for action in leaves(group)}
    for action in leaves(group):
        assert {each["actionId"] for each in action.get("relatedAction", [])} <= ids


def test_same_inputs_give_same_bytes(lung):
    first = dumps(plan(lung))
    assert dumps(plan(lung)) == first
    assert dumps(plan(load_protocol("LUNG"))) == first


def test_every_parameter_out_of_bounds_is_named(lung):
    given = {"segments": 7, "ia_infusion_minutes": 10, "segment_interval_days": 36}
    with pytest.raises(ParameterError) as caught:
        plan(lung, parameters=given)
    assert all(name in caught.value.message for name in given)


def test_start_before_the_evaluation_is_refused(lung):
    with pytest.raises(ParameterError, match="Start"):
        draft_plan(lung, record("in-v01-standard"), as_of=AS_OF, start=Date((2025, 3, 2)))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("undecided-v02-inr-missing", r"indeterminate \(unknown X-BLEED\)\. .*--override-reason"),
        ("out-v03-no-plan", r"ineligible \(failed X-BLEED, LUNG-I02\)\. .*--override-reason"),
    ],
)
def test_no_plan_says_why_and_how_all_the_same(lung, case, words):
    with pytest.raises(NoPlanError, match=words):
        plan(lung, case)


@pytest.mark.parametrize(
    ("reason", "counted"),
    [("", 0), ("  \n", 0), ("The board wants it.", 19), ("  The \n board   wants\tit. ", 19)],
)
def test_an_override_reason_has_twenty_characters_blanks_at_ends_and_in_runs_apart(
    lung, reason, counted
):
    with pytest.raises(ParameterError, match=f"at least 20 characters; you gave {counted}"):
        plan(lung, "undecided-v02-inr-missing", override_reason=reason)


def test_twenty_characters_and_a_kind_are_enough(lung):
    care_plan = plan(
        lung,
        "undecided-v02-inr-missing",
        override_reason="The board wants this",
        override_kind="trial",
    )
    assert care_plan["note"][0]["text"].startswith("Override (trial): The board wants this; ")


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        ("whim", "The board wants it so.", "must be tumour-board, judgement, trial"),
        ("trial", None, "needs its reason"),
    ],
)
def test_a_kind_is_one_of_five_and_has_a_reason(lung, kind, reason, words):
    with pytest.raises(ParameterError, match=words):
        plan(lung, "out-v03-no-plan", override_reason=reason, override_kind=kind)


@pytest.mark.parametrize("day", [Date((2025, 8, 31)), Date((9999, 12, 31))])
def test_a_start_more_than_180_days_ahead_is_refused(lung, day):
    with pytest.raises(ParameterError, match="180 days ahead; choose 2025-08-30 or earlier"):
        draft_plan(lung, record("in-v01-standard"), as_of=AS_OF, start=day)
    draft_plan(lung, record("in-v01-standard"), as_of=AS_OF, start=Date((2025, 8, 30)))


def test_override_makes_a_plan_that_says_so_first(lung):
    care_plan = plan(lung, "out-v03-no-plan", override_reason="the board of 28 February")
    assert care_plan["note"][0]["text"] == (
        "Override: the board of 28 February; status ineligible; "
        "criteria overridden: Severe bleeding tendency (X-BLEED, not met), "
        "Marrow reserve for a platinum doublet (LUNG-I02, not met)."
    )


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("out-b0-without-cancer", "not-applicable .*cannot change"),
        ("in-deceased-no-plan", "has died.*cannot change"),
    ],
)
def test_override_does_not_help_the_dead_or_where_the_protocol_does_not_apply(lung, case, words):
    with pytest.raises(NoPlanError, match=words):
        plan(lung, case, override_reason="please, the board asks")


def test_unread_problem_list_gives_no_plan(lung):
    whole = record("in-v01-standard")
    unread = {"AllergyIntolerance": "AllergyIntolerance was not read: 403."}
    partial = PatientRecord(whole.patient, whole.resources, unread)
    with pytest.raises(NoPlanError, match=r"unknown X-CONTRAST"):
        draft_plan(lung, partial, as_of=AS_OF, start=START)


def test_work_before_the_evaluation_is_marked(lung):
    notes = {each["id"]: each.get("note") for each in plan(lung)["contained"]}
    past = [action_id for action_id, note in notes.items() if note]
    assert past == ["LUNG-A14", "LUNG-A01", "LUNG-A02.1"]
    assert notes["LUNG-A01"] == [{"text": "due before the evaluation date"}]


def test_record_and_protocol_stay_as_they_are(lung):
    given = record("in-v01-standard")
    before = dumps([given.patient, *given.resources]), dumps(lung.plan_definition)
    draft_plan(lung, given, as_of=AS_OF, start=START)
    assert (dumps([given.patient, *given.resources]), dumps(lung.plan_definition)) == before


def test_text_lists_every_request_once(lung):
    care_plan = plan(lung)
    text = to_text(care_plan)
    for action in leaves(care_plan["contained"][0]):
        assert text.count(f"  {action['id']}  ") == 1
    assert text.index("LUNG-A01 ") < text.index("LUNG-A03.1 ") < text.index("LUNG-A13.4 ")


@pytest.mark.parametrize("case", ["in-deceased-no-plan", "out-b0-without-cancer"])
@pytest.mark.parametrize("kind", [None, "whim"])
def test_where_nothing_can_be_overridden_the_wording_of_an_override_does_not_matter(
    lung, case, kind
):
    with pytest.raises(NoPlanError, match="an override cannot change that"):
        plan(lung, case, override_reason="please", override_kind=kind)


def test_settings_of_none_and_of_one_day_are_worded_as_such(lung):
    care_plan = plan(lung, "in-v01-standard", parameters={"radiotherapy_offset_days": 0})
    [settings] = [
        note["text"] for note in care_plan["note"] if note["text"].startswith("Settings: ")
    ]
    assert "; radiotherapy on the day of that CT; " in settings
    assert "; partner drug 1 day after day 0 of each segment; " in settings
    assert "0 days" not in settings.replace("60 days", "")


@pytest.mark.parametrize(("interval", "percent"), [(28, 75), (29, 72), (31, 68), (35, 60)])
def test_the_interval_is_measured_against_the_goal_of_dose_intensity(lung, interval, percent):
    """21 / 28 = 75 %; 21 / 29 = 72.4 %; 21 / 31 = 67.7 %; 21 / 35 = 60 %: all below 85 %."""
    care_plan = plan(lung, "in-v01-standard", parameters={"segment_interval_days": interval})
    assert (
        f"An interval of {interval} days gives {percent} % of the dose intensity of the usual "
        "3-weekly schedule; measured against that schedule, the goal of at least 85 % is missed."
    ) in [note["text"] for note in care_plan["note"]]


def test_the_patient_is_told_the_rounds_of_this_plan(lung):
    parameters = {"segments": 5, "segment_interval_days": 30}
    care_plan = plan(lung, "in-v01-standard", parameters=parameters)
    [told] = [each for each in care_plan["contained"] if each["id"] == "LUNG-A14"]
    points = [point["contentString"] for point in told["payload"]]
    assert sum("The plan is 5 rounds, each beginning 30 days after" in each for each in points) == 1
    assert not any("four to" in each for each in points)
    assert all("[Source: " in each for each in points)
