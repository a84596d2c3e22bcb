import json

import pytest

from benchmarks.evaluate.__main__ import differences, main
from benchmarks.evaluate.ours import OurEvaluator
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients


class Fixed:
    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    def answers(self) -> list[str]:
        return self._answers


def test_patients_are_the_same_each_time_and_of_the_size_that_is_claimed():
    patients = make_patients(5)
    assert patients == make_patients(5)
    assert {len(json.loads(each)["entry"]) for each in patients} == {RESOURCES_PER_PATIENT}


def test_patients_are_of_more_than_one_status():
    statuses = {answer.split("|")[0] for answer in OurEvaluator(make_patients(40)).answers()}
    assert statuses == {"eligible", "indeterminate", "ineligible"}


def test_patient_on_whom_the_engines_differ_is_named():
    assert differences(Fixed("a", "b"), Fixed("a", "c")) == ["patient 1: ours b, Java c"]


@pytest.mark.server
def test_small_run_agrees_with_the_java_engine(java, capsys):
    options = ["--patients", "12", "--warm-up", "0", "--turns", "1", "--seconds", "0.5"]
    assert main(options) == 0
    report = json.loads(capsys.readouterr().out)
    [[own, their, seven]] = report["turns"]
    assert report["ratio"] == pytest.approx(own / their, rel=0.1)
    assert report["sevenProtocolsCost"] == pytest.approx(own / seven, rel=0.1)
