"""CALC-05: the specification's vectors, the cap and both its sides."""

import pytest

from ivfhir.dosing.carboplatin import calvert_mg, is_capped
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("auc", "gfr", "mg"),
    [
        ("5", "90", "575.0"),
        ("6", "140", "900.0"),
        ("5", "53.46", "392.3"),
        ("2", "38", "126.0"),
        ("5", "125", "750"),
        ("5", "125.1", "750"),
    ],
)
def test_calvert(auc, gfr, mg):
    assert four(calvert_mg(auc=d(auc), gfr_ml_min=d(gfr))) == d(mg)


def test_the_cap_is_told():
    assert [is_capped(d(gfr)) for gfr in ("124.9", "125", "125.1")] == [False, False, True]


@pytest.mark.parametrize(("auc", "gfr"), [("0", "90"), ("11", "90"), ("5", "0"), ("5", "301")])
def test_what_cannot_be_meant_is_refused(auc, gfr):
    with pytest.raises(ParameterError, match=r"auc|gfr_ml_min"):
        calvert_mg(auc=d(auc), gfr_ml_min=d(gfr))
