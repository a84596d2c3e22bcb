"""CALC-10 and 11: the specification's vectors, measurability, nodes, and what is missing."""

import pytest

from ivfhir.dosing.recist import Target, mrecist, recist
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


def lesion(baseline, now, organ="", *, node=False):
    return Target(d(baseline), None if now is None else d(now), organ, node)


def response(*targets, nadir=None, new=False, non_target="none", by=recist):
    total = sum(each.baseline_mm for each in targets)
    nadir = total if nadir is None else d(nadir)
    return by(targets, nadir_mm=nadir, new_lesion=new, non_target=non_target)


@pytest.mark.parametrize(
    ("sums", "new", "changes", "result"),
    [
        ("100 100 70", False, "-30.00 -30.00", "PR"),
        ("100 100 70.1", False, "-29.90 -29.90", "SD"),
        ("100 60 72", False, "-28.00 20.00", "PD"),
        ("100 60 71", False, "-29.00 18.33", "SD"),
        ("20 10 14", False, "-30.00 40.00", "PR"),
        ("24 20 24.5", False, "2.083 22.50", "SD"),
        ("80 40 40", True, "-50.00 0", "PD"),
    ],
)
def test_the_vectors_of_recist(sums, new, changes, result):
    baseline, nadir, now = sums.split()
    found = response(lesion(baseline, now), nadir=nadir, new=new)
    shown = [four(found.from_baseline_pct), four(found.from_nadir_pct)]
    assert (shown, found.overall) == ([d(text) for text in changes.split()], result)
    assert found.from_nadir_mm == d(now) - d(nadir)


@pytest.mark.parametrize(
    ("baseline", "nadir", "now", "result"),
    [("60", "60", "42", "PR"), ("60", "60", "0", "CR"), ("60", "30", "36", "PD")],
)
def test_the_vectors_of_mrecist(baseline, nadir, now, result):
    assert response(lesion(baseline, now), nadir=nadir, by=mrecist).overall == result


def test_progression_from_the_nadir_outranks_a_response_against_the_baseline():
    assert response(lesion("100", "60"), nadir="40").overall == "PD"


def test_a_rise_of_exactly_5_mm_and_20_percent_is_progression():
    assert response(lesion("40", "30"), nadir="25").overall == "PD"
    assert response(lesion("40", "29.9"), nadir="25").overall == "SD"
    assert response(lesion("40", "5"), nadir="0").overall == "PD"
    assert response(lesion("40", "4.9"), nadir="0").overall == "PR"
    assert response(lesion("40", "5"), nadir="0").from_nadir_pct is None


def test_measurable_is_10_mm_and_for_a_node_15():
    assert response(lesion("10", "10")).overall == "SD"
    assert response(lesion("15", "15", node=True)).overall == "SD"
    with pytest.raises(ParameterError, match=r"baseline_mm has 9.9 mm.*10 mm"):
        response(lesion("9.9", "9.9"))
    with pytest.raises(ParameterError, match=r"baseline_mm has 14.9 mm.*15 mm"):
        response(lesion("14.9", "9", node=True))


def test_a_node_is_gone_below_10_mm_and_anything_else_at_0():
    assert response(lesion("30", "0"), lesion("20", "9.9", node=True)).overall == "CR"
    assert response(lesion("30", "0"), lesion("20", "10", node=True)).overall == "PR"
    assert response(lesion("30", "1"), lesion("20", "9", node=True)).overall == "PR"


def test_at_most_five_targets_and_two_an_organ():
    five = [lesion("20", "20", organ) for organ in ("lung", "lung", "liver", "liver", "node")]
    assert response(*five).overall == "SD"
    with pytest.raises(ParameterError, match="6 targets"):
        response(*five, lesion("20", "20", "bone"))
    with pytest.raises(ParameterError, match="3 targets lie in lung"):
        response(*five[:2], lesion("20", "20", "lung"))


def test_mrecist_takes_two_liver_lesions_and_no_node():
    assert response(lesion("30", "10"), lesion("30", "20"), by=mrecist).overall == "PR"
    with pytest.raises(ParameterError, match="3 targets"):
        response(*[lesion("30", "30")] * 3, by=mrecist)
    with pytest.raises(ParameterError, match="node"):
        response(lesion("30", "30", node=True), by=mrecist)


def test_a_missing_target_is_not_evaluable_unless_progression_is_proved():
    missing = lesion("40", None)
    assert response(lesion("60", "20"), missing).overall == "NE"
    assert response(lesion("60", "0"), missing).overall == "NE"
    assert response(lesion("60", "20"), missing, new=True).overall == "PD"
    assert response(lesion("60", "20"), missing, non_target="PD").overall == "PD"
    proved = response(lesion("60", "72"), missing, nadir="60")
    assert (proved.overall, proved.missing, proved.from_nadir_pct) == ("PD", 1, None)
    assert response(lesion("60", "71"), missing, nadir="60").overall == "NE"


@pytest.mark.parametrize(
    ("non_target", "result"),
    [("none", "CR"), ("CR", "CR"), ("non-CR-non-PD", "PR"), ("not-evaluated", "PR"), ("PD", "PD")],
)
def test_what_is_followed_and_not_measured(non_target, result):
    assert response(lesion("30", "0"), non_target=non_target).overall == result


def test_a_nadir_above_the_baseline_and_no_target_are_refused():
    with pytest.raises(ParameterError, match="nadir_mm is 101"):
        response(lesion("100", "70"), nadir="101")
    with pytest.raises(ParameterError, match="no target"):
        recist([], nadir_mm=d("0"), new_lesion=False)
    with pytest.raises(ParameterError, match="non_target"):
        response(lesion("30", "0"), non_target="gone")
