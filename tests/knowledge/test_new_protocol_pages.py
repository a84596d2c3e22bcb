"""A protocol from the template is shown on every page with its own texts, and none of LUNG's."""

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr.sample_patients import sample_bundles
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.conftest import Launched
from tests.smart_app.pages.conftest import Clinician

LIMB = "C40.01"
OF_LUNG = re.compile(r"lung|segment|embolis|platin", re.IGNORECASE)


@pytest.fixture(scope="module")
def fhir_server() -> Iterator[str]:
    """Base URL of a server with one patient, who has a tumour of a limb and of the lung."""
    bundle = next(sample_bundles(datetime.now(UTC).date()))
    [lung] = [
        entry for entry in bundle["entry"] if "C34" in json.dumps(entry["resource"], default=str)
    ]
    limb = json.loads(json.dumps(lung, default=str))
    limb["resource"]["id"] = "halloran-limb"
    limb["resource"]["code"] = {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": LIMB}]
    }
    limb["request"] = {"method": "PUT", "url": "Condition/halloran-limb"}
    limb.pop("fullUrl", None)
    bundle["entry"].append(limb)
    with run_sekmet() as base:
        HttpRepository(base, session=requests.Session()).transact(bundle)
        yield base


def words_of(page: str) -> str:
    """Return what a page says: its text, and the words of its attributes."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r'(href|src|action|id|class)="[^"]*"', "", body))


@pytest.fixture
def open_as(client, launch_for):
    """A function that opens the app for the patient and looks at KIDNEY."""

    def clinician() -> Clinician:
        launched: Launched = launch_for(client, "halloran")
        return Clinician(client, launched, "KIDNEY")

    return clinician


def page_of(clinician: Clinician, name: str) -> str:
    answer = clinician.open(name)
    assert answer.status_code == 200, answer.text[-800:]
    return words_of(answer.text)


def assert_own(page: str, *wanted: str) -> None:
    """The page says what is wanted, and nothing of LUNG."""
    assert [each for each in wanted if each not in page] == []
    assert [page[max(0, m.start() - 60) : m.end() + 40] for m in OF_LUNG.finditer(page)] == []


STANDARD = "Say here what it is, and on which source"


def test_match_shows_both_where_both_are_there(beside, open_as):
    page = page_of(open_as(), "match")
    assert "KIDNEY 0.1.0" in page
    assert "LUNG 0.2.0" in page
    assert re.search("Eligible for [2-9] protocols", page)


def test_match_shows_its_texts_alone(alone, open_as):
    assert_own(page_of(open_as(), "match"), "KIDNEY 0.1.0", STANDARD)


def test_why_shows_its_criteria(alone, open_as):
    assert_own(page_of(open_as(), "why/KIDNEY"), "Active tumour of a limb", "18", STANDARD)


def test_plan_shows_its_parameters_and_actions(alone, open_as):
    page = page_of(open_as(), "plan/KIDNEY")
    assert_own(page, "Sessions", "Days between sessions", "Session 1", "Baseline assessment")


def test_review_receipt_and_written_plan_are_its_own(alone, open_as):
    clinician = open_as()
    draft_id = clinician.make_draft()
    assert_own(page_of(clinician, f"review/{draft_id}"), "Baseline assessment")
    answer = clinician.accept(draft_id)
    assert answer.status_code == 303, answer.text[-800:]
    receipt = clinician.open(answer.headers["Location"])
    assert_own(words_of(receipt.text), "read back and the same")
    written = re.search(r'href="[^"]*(/l/[^"/]+/written/[^"]+)"', receipt.text)
    assert written
    assert_own(page_of(clinician, written[1]), "Session 2", "Baseline assessment")


def test_a_parameter_out_of_its_bounds_is_told_on_the_page(alone, open_as):
    answer = open_as().send("plan/KIDNEY", {"next": "review", "session_interval_days": "43"})
    assert answer.status_code == 422
    assert_own(words_of(answer.text), "21 to 42")


def test_a_broken_one_has_its_card_and_lung_its_answer(own_copy, open_as):
    (own_copy / "kidney" / "cql" / "KIDNEYPlan.json").unlink()
    page = page_of(open_as(), "match")
    assert "KIDNEY" in page
    assert "LUNG 0.2.0" in page
    assert re.search("Eligible for [1-9] protocol", page)
