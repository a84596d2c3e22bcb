"""The dose over a life: limits at equality, cardiotoxic treatment, and what nobody knows."""

import pytest

from ivfhir.dosing.cumulative import cumulative_finding
from ivfhir.dosing.exclusions import EXCLUDED, UNCONFIRMED
from ivfhir.dosing.inputs import Input, Inputs
from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.dosing.digits import d
from tests.ivfhir.dosing.patients import AS_OF, number

REGIMENS = load_regimens()
DRUGS = {"doxorubicin": "RG-LI1", "mitomycin": "RG-LM2", "gemcitabine": "RG-LM2"}
YES, NO = Input(value=True), Input(value=False)


def kind(name, planned, earlier=None, cardiotoxic=None, confirmed=()):
    drug = next(each for each in REGIMENS[DRUGS[name]].drugs if each.id == name)
    known = None if earlier is None else number(earlier)
    given = {f"cumulative_{name}_mg_m2": known} if drug.cumulative_highest else {}
    inputs = Inputs({**given, "cardiotoxic_treatment": cardiotoxic}, as_of=AS_OF)
    found = cumulative_finding(drug, d(planned), inputs, confirmed=confirmed)
    return found and found.kind


@pytest.mark.parametrize(
    ("planned", "earlier", "cardiotoxic", "expected"),
    [
        ("150", "400", NO, None),
        ("150", "400.1", NO, EXCLUDED),
        ("150", "250", YES, None),
        ("150", "250.1", YES, EXCLUDED),
        ("150", "250", None, None),
        ("150", "250.1", None, UNCONFIRMED),
        ("150", "400.1", None, EXCLUDED),
        ("150", None, NO, UNCONFIRMED),
        ("550.1", None, NO, EXCLUDED),
    ],
)
def test_doxorubicin(planned, earlier, cardiotoxic, expected):
    assert kind("doxorubicin", planned, earlier, cardiotoxic) == expected


def test_a_confirmation_stands_in_for_what_is_unknown_and_not_for_what_passes():
    confirmed = ["cumulative-dose"]
    assert kind("doxorubicin", "150", confirmed=confirmed) is None
    assert kind("doxorubicin", "150", "400.1", NO, confirmed) == EXCLUDED


def test_mitomycin():
    assert kind("mitomycin", "30", "20") is None
    assert kind("mitomycin", "30", "20.1") == EXCLUDED
    assert kind("mitomycin", "50.1") == EXCLUDED
    assert kind("mitomycin", "50") == UNCONFIRMED


def test_a_drug_without_such_a_limit():
    assert kind("gemcitabine", "10000") is None
