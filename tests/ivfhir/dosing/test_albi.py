"""CALC-07: the specification's vectors and the limits of the grades."""

import pytest

from ivfhir.dosing.albi import albi
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("bilirubin", "albumin", "score", "grade"),
    [
        ("10", "42", "-2.910", 1),
        ("17.1", "38", "-2.416", 2),
        ("34.2", "35", "-1.963", 2),
        ("51.3", "27", "-1.166", 3),
        ("11.97", "40", "-2.688", 1),
    ],
)
def test_the_vectors_of_the_specification(bilirubin, albumin, score, grade):
    found = albi(bilirubin_umol_l=d(bilirubin), albumin_g_l=d(albumin))
    assert (four(found.score), found.grade) == (d(score), grade)


@pytest.mark.parametrize(
    ("albumin_g_l", "grade"),
    [  # At 10 umol/L the score is 0.66 - 0.085 x albumin.
        ("38.353", 1),
        ("38.352", 2),
        ("24.118", 2),
        ("24.117", 3),
    ],
)
def test_the_limits_of_the_grades(albumin_g_l, grade):
    assert albi(bilirubin_umol_l=d("10"), albumin_g_l=d(albumin_g_l)).grade == grade


@pytest.mark.parametrize(("bilirubin", "albumin"), [("0.8", "40"), ("10", "4.1"), ("1027", "40")])
def test_an_implausible_value_is_refused(bilirubin, albumin):
    with pytest.raises(ParameterError, match=r"bilirubin|albumin"):
        albi(bilirubin_umol_l=d(bilirubin), albumin_g_l=d(albumin))
