import json

import pytest

from benchmarks.evaluate.__main__ import main
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients
from benchmarks.evaluate.timing import measure


def test_patients_are_the_same_each_time_and_of_the_size_that_is_claimed():
    patients = make_patients(5)
    assert patients == make_patients(5)
    assert {len(json.loads(each)["entry"]) for each in patients} == {RESOURCES_PER_PATIENT}


def test_every_patient_is_answered_whatever_the_clock_says():
    measured = measure(bytes.decode, [b"a", b"b"], warm_up_s=0, seconds=0)
    assert measured.answers == ("a", "b")


@pytest.mark.server
def test_small_run_agrees_with_the_java_engine(java, capsys):
    assert main(["--patients", "12", "--warm-up", "0", "--seconds", "0.5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ratio"] == pytest.approx(
        report["oursPerSecond"] / report["javaPerSecond"], rel=0.1
    )
