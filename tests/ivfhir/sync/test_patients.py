"""Who a plan's patient is on the server: in doubt nobody, never somebody else."""

import pytest

from tests.ivfhir.sync.scene import MRN, named, patient, run, small, stored, write

INSURANCE = {"system": "https://insurance.example", "value": "family"}
OTHER_MRN = {**MRN, "value": "12"}


def one(folder, base):
    """Sync the only plan and return its result and the reason."""
    _, (row,), _ = run(folder, "--to", base)
    issues = row.get("outcome", {}).get("issue", [{}])
    return row["result"], issues[0].get("diagnostics", "")


def write_plan(folder, value, identifiers, **more):
    """Write a plan without parts, and its patient."""
    write(folder, "plan", named(value, contained=None, goal=None, activity=None))
    who = {"resourceType": "Patient", "id": "p", "identifier": identifiers}
    write(folder, "patient", who | more)


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        ({"birthDate": "1975-03-01"}, {"birthDate": "2015-03-01"}, "another date of birth"),
        ({"birthDate": "1975"}, {"birthDate": "2015-03-01"}, "another date of birth"),
        ({"birthDate": "1975-03-01"}, {"birthDate": "1975"}, ""),
        ({"birthDate": "1975-03"}, {"birthDate": "1975-03-01"}, ""),
        ({"birthDate": "1975-03"}, {"birthDate": "1975-04-01"}, "another date of birth"),
        ({"birthDate": "1975-03-01"}, {}, ""),
        ({}, {"birthDate": "1975-03-01"}, ""),
        ({"identifier": [MRN]}, {"identifier": [OTHER_MRN]}, "another one of https://hospital"),
        ({"identifier": [MRN]}, {"identifier": [OTHER_MRN, MRN]}, ""),
        ({"identifier": [OTHER_MRN, MRN]}, {"identifier": [MRN]}, ""),
        ({"identifier": [MRN]}, {}, ""),
    ],
)
def test_who_shares_one_identifier_and_is_another_gets_no_plan(sekmet, tmp_path, ours, theirs, why):
    both = [
        each | {"identifier": [INSURANCE, *each.get("identifier", [])]} for each in (ours, theirs)
    ]
    patient(sekmet, "theirs", **both[1])
    write_plan(tmp_path, "one", both[0]["identifier"], birthDate=ours.get("birthDate"))
    result, said = one(tmp_path, sekmet)
    assert (result, why in said) == ("refused" if why else "created", True)
    subjects = [each["subject"]["reference"] for each in stored(sekmet, "CarePlan")]
    assert subjects == ([] if why else ["Patient/theirs"])


def test_who_shares_an_identifier_alone_is_told_apart_in_a_group_too(sekmet, tmp_path):
    patient(sekmet, "child", identifier=[INSURANCE, OTHER_MRN], birthDate="2015-01-01")
    for number in range(6):
        mrn = {**MRN, "value": f"right {number}"}
        patient(sekmet, f"right-{number}", identifier=[mrn], birthDate="1980-01-01")
        subject = {"reference": f"Patient/p{number}"}
        plan = named(f"{number}", contained=None, goal=None, activity=None, subject=subject)
        write(tmp_path, f"plan-{number}", plan)
        identifiers = [INSURANCE, {**MRN, "value": "13"}] if number == 3 else [mrn]
        who = {"resourceType": "Patient", "id": f"p{number}", "identifier": identifiers}
        write(tmp_path, f"patient-{number}", who)
    _, rows, _ = run(tmp_path, "--to", sekmet)
    results = [row["result"] for row in rows]
    assert results == ["created"] * 3 + ["refused"] + ["created"] * 2


@pytest.mark.parametrize(
    ("theirs", "result"),
    [
        ([{**MRN, "value": "9999"}], "refused"),
        ([{**MRN, "value": "9999"}, MRN], "created"),
        ([{"value": "4711"}], "created"),
        ([], "created"),
    ],
)
def test_an_identifier_without_a_system_has_to_be_that_of_the_patient_of_the_id(
    sekmet, tmp_path, theirs, result
):
    patient(sekmet, "p", identifier=theirs)
    write_plan(tmp_path, "one", [{"value": "4711"}])
    told, said = one(tmp_path, sekmet)
    assert (told, "add the system" in said) == (result, result == "refused")
    assert bool(stored(sekmet, "CarePlan")) is (result == "created")


def test_a_reference_with_an_identifier_without_a_system_has_to_be_of_that_patient(
    sekmet, tmp_path
):
    patient(sekmet, "p")
    subject = {"reference": "Patient/p", "identifier": {"value": "12"}}
    plan = named("one", contained=None, goal=None, activity=None, subject=subject)
    write(tmp_path, "plan", plan)
    assert one(tmp_path, sekmet)[0] == "refused"
    plan["subject"]["identifier"]["value"] = MRN["value"]
    write(tmp_path, "plan", plan)
    assert one(tmp_path, sekmet)[0] == "created"


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        ("1975", "1975-03-01", "created"),
        ("1975-03-01", "1975-03", "created"),
        ("1975-03-02", "1975-03-01", "refused"),
    ],
)
def test_a_patient_of_an_id_alone_may_have_a_birth_date_of_which_a_part_is_known(
    sekmet, tmp_path, ours, theirs, result
):
    patient(sekmet, "p", identifier=[], birthDate=theirs)
    write_plan(tmp_path, "one", [], birthDate=ours)
    assert one(tmp_path, sekmet)[0] == result


@pytest.mark.parametrize(("active", "result"), [(False, "refused"), (True, "created")])
@pytest.mark.parametrize("identifiers", [[], [MRN]])
def test_a_patient_who_is_not_active_gets_no_plan(sekmet, tmp_path, active, result, identifiers):
    link = [{"other": {"reference": "Patient/q"}, "type": "replaced-by"}]
    patient(sekmet, active=active, **({} if active else {"link": link}))
    write_plan(tmp_path, "one", identifiers)
    told, why = one(tmp_path, sekmet)
    assert told == result
    assert ("is not active" in why) is (result == "refused" and not identifiers)
    assert bool(stored(sekmet, "CarePlan")) is (result == "created")


@pytest.mark.parametrize(
    ("base", "result"), [("https://other.example/fhir", "refused"), (None, "created")]
)
def test_an_id_of_another_address_is_no_id_of_this_server(sekmet, tmp_path, base, result):
    patient(sekmet, "p")
    subject = {"reference": f"{base or sekmet}/Patient/p"}
    plan = named("one", contained=None, goal=None, activity=None, subject=subject)
    write(tmp_path, "plan", plan)
    told, why = one(tmp_path, sekmet)
    assert (told, "another server's address" in why) == (result, result == "refused")


OTHER = "https://other.example/fhir"


def export(folder, name, base, *resources):
    """Write what a server of that address has, by its addresses; '' for no address."""
    entries = [
        {"resource": each}
        | ({"fullUrl": f"{base}/{each['resourceType']}/{each['id']}"} if base else {})
        for each in resources
    ]
    write(folder, name, {"resourceType": "Bundle", "type": "searchset", "entry": entries})


def about(reference, **changes):
    """Return a plan of an order that is about somebody."""
    plan = small(id="x", goal=None, activity=[{"reference": {"reference": "#look"}}], **changes)
    plan["contained"] = [each for each in plan["contained"] if each["id"] == "look"]
    plan["contained"][0]["subject"] = {"reference": reference}
    return plan


@pytest.mark.parametrize(
    ("base", "beside", "result"),
    [
        (OTHER, [], "refused"),
        (OTHER, [{}], "refused"),
        (OTHER, [{"identifier": [{"value": "4711"}]}], "refused"),
        (OTHER, [{"identifier": [MRN]}], "created"),
        (None, [], "created"),
        (None, [{}], "created"),
        (None, [{"identifier": [MRN]}], "created"),
        ("urn:uuid:", [], "created"),
        ("", [{}], "created"),
    ],
)
def test_a_plan_of_another_address_is_not_about_the_patient_of_that_id_here(
    sekmet, tmp_path, base, beside, result
):
    patient(sekmet)
    people = [{"resourceType": "Patient", "id": "p", **each} for each in beside]
    export(tmp_path, "plan", sekmet if base is None else base, small(id="x"), *people)
    told, why = one(tmp_path, sekmet)
    assert (told, "another server's address" in why) == (result, result == "refused")
    assert bool(stored(sekmet, "CarePlan")) is (result == "created")


@pytest.mark.parametrize("days", [("2025-03-03", "2025-03-04"), ("2025-03-04", "2025-03-03")])
def test_patients_of_one_id_on_two_servers_are_told_apart_in_one_run(sekmet, tmp_path, days):
    patient(sekmet)
    for name, base, day in zip(("here", "there"), (sekmet, OTHER), days, strict=True):
        plan = named(name, id=name, created=day, instantiatesCanonical=None)
        export(tmp_path, name, base, plan)
    _, rows, _ = run(tmp_path, "--to", sekmet)
    told = {row["plan"].rpartition("|")[2]: row["result"] for row in rows}
    assert told == {"here": "created", "there": "refused"}


BY_ID, BY_MRN = {"reference": "Patient/p"}, {"reference": "Patient/p", "identifier": MRN}


@pytest.mark.parametrize(
    ("plan", "order", "result"),
    [
        (("", BY_ID), (OTHER, []), "refused"),
        (("", BY_ID), (OTHER, [{}]), "refused"),
        (("", BY_ID), (OTHER, [{"identifier": [MRN]}]), "created"),
        (("", BY_ID), (None, []), "created"),
        (("", BY_MRN), (OTHER, []), "refused"),
        (("", BY_MRN), (None, []), "created"),
        ((None, BY_ID), (None, []), "created"),
        ((None, BY_ID), (OTHER, []), "refused"),
        ((OTHER, BY_MRN), (OTHER, []), "created"),
        ((OTHER, BY_MRN), (None, []), "refused"),
    ],
)
def test_an_order_about_a_patient_of_another_address_is_not_sent_with_the_plan(
    sekmet, tmp_path, plan, order, result
):
    patient(sekmet)
    (base, subject), (whose, beside) = plan, order
    people = [{"resourceType": "Patient", "id": "p", **each} for each in beside]
    sent = about(f"{whose or sekmet}/Patient/p", subject=subject)
    export(tmp_path, "plan", sekmet if base is None else base, sent, *people)
    told, why = one(tmp_path, sekmet)
    assert told == result, why
    assert len(stored(sekmet, "ServiceRequest")) == (result == "created")


def test_an_order_about_a_patient_of_this_address_is_not_sent_for_another_one(sekmet, tmp_path):
    patient(sekmet, "q")
    patient(sekmet, "p", identifier=[OTHER_MRN])
    subject = {"reference": "Patient/p", "identifier": MRN}
    write(tmp_path, "plan", about(f"{sekmet}/Patient/p", subject=subject))
    assert one(tmp_path, sekmet)[0] == "refused"
    write(tmp_path, "plan", about("Patient/p", subject=subject))
    assert one(tmp_path, sekmet)[0] == "created"


def test_an_order_that_stands_at_another_address_is_about_the_patient_there(sekmet, tmp_path):
    patient(sekmet)
    (look,) = (each for each in small()["contained"] if each["id"] == "look")
    look["basedOn"] = [{"reference": "CarePlan/x"}]
    activity = [{"reference": {"reference": "ServiceRequest/look"}}]
    export(tmp_path, "order", OTHER, look)
    for base in ("", sekmet):
        plan = small(id="x", goal=None, contained=None, activity=activity)
        export(tmp_path, "plan", base, plan)
        assert one(tmp_path, sekmet)[0] == "refused"
    export(tmp_path, "order", sekmet, look)
    assert one(tmp_path, sekmet)[0] == "created"


def test_of_several_patients_of_a_number_none_is_meant_and_a_family_is_not_to_be_merged(
    sekmet, tmp_path
):
    for name in ("mother", "child"):
        patient(sekmet, name, identifier=[INSURANCE])
    write_plan(tmp_path, "one", [INSURANCE])
    told, why = one(tmp_path, sekmet)
    assert told == "refused"
    assert "Patient/child, Patient/mother" in why
    assert "if they are one person" in why
