"""Regimens on the plan page: what each would give, what is refused in words, and what is kept."""

import html
import json
import re
from decimal import Decimal

import pytest

from ivfhir.cli.main import main
from ivfhir.fhir.json import dumps
from smart_app.fake_ehr.sample_patients import sample_bundles
from smart_app.pages.regimens import regimen_table, regimen_values
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.conftest import csrf_token

CONFIRMED = ("hearing", "neuropathy", "nyha", "histology", "folate-b12")
TICKED = {f"confirmed-{each}": "yes" for each in CONFIRMED}


@pytest.fixture
def fhir_server():
    """Base URL of a FHIR server with four sample patients, of this test's own."""
    with running_samples("halloran", "okafor", "duarte", "lindqvist") as base:
        yield base


def visible_text(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def section(page):
    return visible_text(page.partition('aria-labelledby="regimens"')[2].partition("</section>")[0])


def medications(repository, patient="halloran"):
    found = repository.search("MedicationRequest", {"patient": patient})
    return [each for each in found if each.get("dosageInstruction")]


def ordered_mg(requests):
    return sorted(
        float(rate["doseQuantity"]["value"])
        for each in requests
        for dosage in each["dosageInstruction"]
        for rate in dosage.get("doseAndRate", ())
        if rate["type"]["coding"][0]["code"] == "ordered"
    )


def test_each_regimen_is_told_with_dose_intensity_and_what_is_open(clinician):
    told = section(clinician.open("plan/LUNG").text)
    assert "cisplatin 135 mg 75 mg/m2, 134.4 before rounding" in told
    assert "pemetrexed 895 mg 500 mg/m2, 896.0 before rounding" in told
    assert "cisplatin 75 %" in told
    assert "To confirm: no hearing loss of grade 2 or more" in told
    assert "To choose: cisplatin, mg/m2 and gemcitabine, mg/m2, below." in told
    assert "Doses and interval: our choice, published" in told


def test_without_a_choice_nothing_has_a_dose(clinician):
    page = clinician.open("plan/LUNG").text
    assert "Numbers behind the doses" not in page
    draft = clinician.make_draft()
    assert "draft proposal, no dose" in visible_text(clinician.open(f"review/{draft}").text)


def test_what_nobody_confirmed_is_refused_in_words_and_the_form_is_kept(clinician):
    given = {"next": "review", "regimen": "RG-LU1", "confirmed-hearing": "yes"}
    answer = clinician.send("plan/LUNG", {**given, "dose_gemcitabine": "1100"})
    assert answer.status_code == 422
    text = visible_text(answer.text)
    assert "RG-LU1 gives no dose. To be confirmed by a clinician: neuropathy" in text
    assert "The dates below are those of the plan without a regimen" in text
    assert "Numbers behind the doses" not in text
    assert re.search(r'value="RG-LU1" checked', answer.text)
    assert re.search(r'name="confirmed-hearing" value="yes" checked', answer.text)
    assert re.search(r'id="dose_gemcitabine"[^>]*value="1100"', answer.text)
    assert "confirmed=" not in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"regimen": "RG-LU2"}, "gemcitabine is published as 1000 to 1250 mg/m2"),
        (
            {"regimen": "RG-LU2", "dose_cisplatin": "90", "dose_gemcitabine": "1000"},
            "“cisplatin, mg/m2” is 90, but RG-LU2 allows 60 to 75 mg/m2.",
        ),
        ({"regimen": "RG-LU2", "dose_cisplatin": "much"}, "is a number; 'much' is none."),
        ({"regimen": "RG-LU7"}, "cell-cycle-specific"),
        ({"regimen": "RG-LI3"}, "is not for LUNG"),
        ({"regimen": "RG-XX9"}, "There is no regimen 'RG-XX9'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(clinician, fields, said):
    answer = clinician.send(
        "plan/LUNG", {"next": "plan", **TICKED, "confirmed-dpd": "yes", **fields}
    )
    assert answer.status_code == 422
    assert said in visible_text(answer.text)


@pytest.mark.parametrize("fields", [{"regimen": "RG-XX9"}, {"dose_cisplatin": "much"}])
def test_a_setting_out_of_bounds_beside_it_is_told_on_the_form(clinician, fields):
    given = {"next": "plan", "regimen": "RG-LU2", "segments": "99", **fields}
    answer = clinician.send("plan/LUNG", given)
    assert answer.status_code == 422
    assert "you gave 99" in visible_text(answer.text)


def test_a_dose_out_of_bounds_marks_its_box(clinician):
    fields = {"regimen": "RG-LU2", "dose_cisplatin": "90", "dose_gemcitabine": "1000", **TICKED}
    page = clinician.send("plan/LUNG", {"next": "plan", **fields}).text
    assert re.search(r'id="dose_cisplatin"[^>]*aria-invalid="true"', page)
    assert not re.search(r'id="dose_gemcitabine"[^>]*aria-invalid="true"', page)
    row = visible_text(page.partition('value="RG-LU2" checked')[2].partition("</tr>")[0])
    assert "Not put into the plan: RG-LU2: “cisplatin, mg/m2” is 90" in row


def test_a_box_is_marked_by_what_was_refused_and_not_by_its_words(clinician):
    fields = {"regimen": "RG-LU2", "dose_cisplatin": "auc", "dose_gemcitabine": "1000", **TICKED}
    page = clinician.send("plan/LUNG", {"next": "plan", **fields}).text
    assert re.search(r'id="dose_cisplatin"[^>]*aria-invalid="true"', page)
    assert re.search(r'id="auc"', page)
    assert not re.search(r'id="auc"[^>]*aria-invalid="true"', page)


def test_a_dose_of_another_regimen_does_not_reach_the_one_that_was_chosen(clinician, repository):
    fields = {"regimen": "RG-LU1", "dose_cisplatin": "60", **TICKED}
    draft = clinician.make_draft(**fields)
    answer = clinician.accept(draft)
    assert answer.status_code == 303
    assert set(ordered_mg(medications(repository))) == {135.0, 895.0}


def test_what_is_written_is_what_the_command_line_gives(clinician, repository, tmp_path, capsys):
    draft = clinician.make_draft(regimen="RG-LU1", **TICKED)
    review = visible_text(clinician.open(f"review/{draft}").text)
    assert "Platinum, arterial: cisplatin 135 mg" in review
    assert "draft proposal, dose proposed" in review
    assert "You confirm: hearing (no hearing loss of grade 2 or more)" in review
    assert "75 mg/m2 x 1.792 m2 = 134.4 mg" in review
    assert "Cytotoxic: two people check drug, dose and route." in review
    assert clinician.accept(draft).status_code == 303
    written = medications(repository)
    start = min(each["dosageInstruction"][0]["timing"]["event"][0][:10] for each in written)
    as_of = clinician.launched.client.application.extensions["ivfhir"].clock().date()
    record = tmp_path / "halloran.json"
    record.write_text(dumps(next(iter(sample_bundles(as_of, ["halloran"])))))
    arguments = ["apply", "LUNG", "--patient", str(record), "--as-of", str(as_of)]
    arguments += ["--start", start, "--param", "regimen=RG-LU1"]
    assert main([*arguments, "--param", f"confirmed={','.join(CONFIRMED)}"]) == 0
    plan = json.loads(capsys.readouterr().out)
    asked = [each for each in plan["contained"] if each["resourceType"] == "MedicationRequest"]
    assert ordered_mg(written) == ordered_mg(asked)
    [provenance] = repository.search("Provenance", {})
    reasons = [each["text"] for each in provenance["reason"]]
    assert "Confirmed: hearing (no hearing loss of grade 2 or more)" in reasons
    assert len(reasons) == len(CONFIRMED)
    [care_plan] = repository.search("CarePlan", {"patient": "halloran"})
    assert any("Confirmed by the clinician: hearing" in each["text"] for each in care_plan["note"])


def test_a_weight_that_changed_stops_the_dose_before_anything_is_written(clinician, repository):
    draft = clinician.make_draft(regimen="RG-LU1", **TICKED)
    [weight] = [
        each
        for each in repository.search("Observation", {"patient": "halloran"})
        if any(coding["code"] == "29463-7" for coding in each["code"]["coding"])
        and each["valueQuantity"]["value"] == 68
    ]
    weight["valueQuantity"]["value"] = 80
    change(repository, weight)
    answer = clinician.accept(draft)
    text = visible_text(answer.text)
    assert answer.status_code == 409
    assert "Dose of cisplatin" in text
    assert "cisplatin 135 mg (134.4 mg before rounding)" in text
    assert medications(repository) == []
    assert clinician.accept(draft).status_code == 303
    assert 135.0 not in ordered_mg(medications(repository))


def change(repository, resource):
    """Put a resource of the EHR as it is now."""
    url = f"{resource['resourceType']}/{resource['id']}"
    entry = {"resource": resource, "request": {"method": "PUT", "url": url}}
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


def test_a_regimen_that_is_excluded_meanwhile_is_told_and_not_written(clinician, repository):
    draft = clinician.make_draft(regimen="RG-LU1", **TICKED)
    [creatinine] = [
        each
        for each in repository.search("Observation", {"patient": "halloran"})
        if each["id"] == "halloran-creatinine"
    ]
    creatinine["valueQuantity"]["value"] = Decimal("1.4")
    change(repository, creatinine)
    answer = clinician.accept(draft)
    text = visible_text(answer.text)
    assert answer.status_code == 409
    assert "the regimen gives no dose any more" in text
    assert "cisplatin is excluded: clearance below 60" in text
    assert "AG-CIS" not in text
    assert "The draft is kept; choose its regimen again." in text
    assert medications(repository) == []


def test_two_tabs_with_two_regimens_do_not_mix(clinician, repository):
    one = clinician.make_draft(regimen="RG-LU1", **TICKED)
    other = clinician.make_draft(regimen="RG-LU5", **TICKED)
    assert "vinorelbine 45 mg" in visible_text(clinician.open(f"review/{other}").text)
    text = visible_text(clinician.open(f"review/{one}").text)
    assert "pemetrexed 895 mg" in text
    assert "vinorelbine" not in text
    assert clinician.accept(one).status_code == 303
    assert set(ordered_mg(medications(repository))) == {135.0, 895.0}


def test_a_draft_that_was_kept_shows_its_regimen_and_the_numbers_behind_it(clinician):
    draft = clinician.make_draft(regimen="RG-LU1", **TICKED)
    page = clinician.open(f"plan/LUNG?draft={draft}").text
    text = visible_text(page)
    assert re.search(r'value="RG-LU1" checked', page)
    assert "75 mg/m2 x 1.792 m2 = 134.4 mg" in text
    assert re.search(r'<a href="/l/[^"]+/record/Observation/[^"]+">weight 68 kg</a>', page)
    assert "platinum allergy no" in text
    answer = clinician.send(
        f"plan/LUNG?draft={draft}", {"next": "plan", "regimen": "", "version": "1", **TICKED}
    )
    assert answer.status_code == 303
    assert "Numbers behind the doses" not in clinician.open(answer.headers["Location"]).text


def test_results_that_could_not_be_read_give_no_dose(clinician, fake_ehr):
    fake_ehr.fail("status-500", path="/?Observation", times=None)
    reason = "The tumour board decided so on 3 March 2025, see minutes"
    answer = clinician.send(
        "plan/LUNG",
        {
            "next": "plan",
            "override-kind": "tumour-board",
            "override-reason": reason,
            "regimen": "RG-LU1",
            **TICKED,
        },
    )
    assert answer.status_code == 422
    assert "results could not be read to their end" in visible_text(answer.text)


def test_a_protocol_with_modes_offers_the_regimens_of_the_mode(clinician_for):
    clinician = clinician_for("okafor")
    token = csrf_token(clinician.open("plan/LIVER"))
    answer = clinician.send("plan/LIVER", {"next": "plan", "mode": "HAIC"}, token=token)
    told = section(clinician.open(answer.headers["Location"]).text)
    assert "RG-LI3" in told
    assert "RG-LI1" not in told


def test_values_of_a_form():
    form = {"regimen": " RG-LU1 ", "dose_x": "", "auc": "5", "confirmed-hearing": "yes", "x": "1"}
    assert regimen_values(form) == {"regimen": "RG-LU1", "auc": "5", "confirmed": "hearing"}
    assert regimen_values({"confirmed": "hearing", "confirmed-nothing": "yes"}) == {}


def test_no_table_where_no_regimen_serves():
    assert regimen_table([], {}, str) is None
