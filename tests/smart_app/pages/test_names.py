"""What a page calls a protocol, its start and its drugs, for protocols that are unlike LUNG."""

import re
from dataclasses import replace

import pytest


@pytest.mark.parametrize(
    ("patient", "protocol", "said", "regimens"),
    [
        ("halloran", "LUNG", ("Lung: 4 segments", "Start: day 0 of segment 1"), True),
        ("brandt", "LIVER", ("Liver: 6 sessions", "Start: day 0 of session 1"), True),
        ("castellano", "PORT", ("Arterial port: 6 infusions", ">Start<"), True),
        ("silva", "STENT", ("Oesophageal stent: plan from", ">Start<"), False),
        ("ivanova", "REGI", ("Regional tumour: 3 sessions", "Start: day 0 of session 1"), True),
    ],
)
def test_a_plan_says_what_its_start_is_and_offers_regimens_where_it_has_them(
    clinician_for, patient, protocol, said, regimens
):
    page = clinician_for(patient).open(f"plan/{protocol}").text
    assert [each for each in said if each not in page] == []
    assert ('aria-labelledby="regimens"' in page) == regimens
    assert "There is no regimen for this plan here" not in page


def test_two_modes_that_fit_are_chosen_between_before_there_are_dates(clinician_for):
    clinician = replace(clinician_for("okafor"), protocol="LIVER")
    page = clinician.open("plan/LIVER").text
    assert "Liver: choose first" in page
    assert "To choose: mode." in page
    shown = clinician.send("plan/LIVER", {"next": "plan", "mode": "TACE"})
    assert shown.status_code == 303
    plan = clinician.open(shown.headers["Location"]).text
    assert "Liver: 3 sessions every 42 days" in plan
    assert "Decision" in plan
    assert "no fixed day" not in plan
    assert "Later: decision" not in plan  # its days lie within the board


def test_a_mode_that_does_not_fit_is_said_so_and_refused(clinician_for):
    clinician = clinician_for("brandt")
    page = clinician.open("plan/LIVER").text
    assert "Chemoembolisation, repeated on demand (TACE): not eligible" in page
    modes = clinician.open("why/LIVER").text
    assert "main portal vein occlusion or hepatofugal flow" in modes


def test_protocols_are_named_in_words_and_the_route_is_said(clinician_for):
    page = clinician_for("castellano").open("match").text
    assert "Eligible for 2 protocols: liver metastases and arterial port" in page
    assert (
        "Drugs into the target's artery." in page or "Drugs into the target&#39;s artery." in page
    )
    assert "Drugs into a vein." in clinician_for("haddad").open("match").text


@pytest.mark.parametrize(
    ("patient", "protocol", "placed", "words"),
    [
        ("castellano", "PORT", "Implantation of the arterial port", "implantation"),
        ("silva", "STENT", "Stent placement", "stent"),
    ],
)
def test_a_device_has_a_lane_of_its_own(clinician_for, patient, protocol, placed, words):
    page = clinician_for(patient).open(f"plan/{protocol}").text
    board = page[page.index("<svg viewBox") :].partition("</svg>")[0]
    lanes = re.findall(r'class="lane"[^>]*>([^<]+)<', board)
    assert lanes[0] == "Stent, port"
    [mark] = re.findall(rf"<title>({placed}, [^<]+)</title>(<path[^>]+>)", board)
    assert 'stroke="#33418f"' in mark[1]
    assert f">{words}" in board


def test_words_below_marks_do_not_run_into_each_other(clinician_for):
    page = clinician_for("castellano").open("plan/PORT").text
    board = page[page.index("<svg viewBox") :].partition("</svg>")[0]
    assert re.search(r">imaging \d", board)
    assert not re.search(r">patency \d", board)  # six days later, beside it
    assert "<title>Patency study, " in board
