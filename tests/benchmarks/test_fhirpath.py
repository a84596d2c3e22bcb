"""The benchmark of FHIRPath: three engines agree, and the ratios are of their turns."""

import json

import pytest

from benchmarks.evaluate.patients import make_patients
from benchmarks.fhirpath import peers
from benchmarks.fhirpath.__main__ import differences, main, report
from benchmarks.fhirpath.conditions import CONDITIONS
from benchmarks.fhirpath.ours import Ours
from tests.servers.needs import need


class Fixed:
    compile_ms = 1.0

    def __init__(self, answers):
        self.answers = answers


def test_each_condition_is_answered_and_none_is_the_same_for_everybody_by_accident():
    answers = Ours(make_patients(60), list(CONDITIONS.values())).answers
    told = {name: {str(row[n]) for row in answers} for n, name in enumerate(CONDITIONS)}
    assert all(values <= {"[True]", "[False]", "[]"} for values in told.values())
    assert sum(len(values) > 1 for values in told.values()) >= 5, told


def test_a_peer_that_differs_is_named_with_patient_and_condition():
    same = [[[True]] * len(CONDITIONS)]
    other = [[[False], *same[0][1:]]]
    engines = {"ours": Fixed(same), "fhirpathpy": Fixed(other)}
    assert differences(engines) == ["fhirpathpy, patient 0, adult: [False], ours [True]"]


def test_a_ratio_is_of_the_same_turn():
    turns = [
        {"ours": 100.0, "slow": 10.0},
        {"ours": 60.0, "slow": 2.0},
        {"ours": 40.0, "slow": 2.0},
    ]
    told = report(turns, {"ours": Fixed([]), "slow": Fixed([])}, 1)
    assert told["ratio"] == {"slow": 20.0}
    assert told["patientsPerSecond"] == {"ours": 60.0, "slow": 2.0}


@pytest.mark.server
def test_a_short_run_measures_all_three(capsys):
    need(peers.missing())
    assert main(["--patients", "3", "--turns", "1", "--seconds", "0.3"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["ratio"]) == {"fhirpathpy", "fhirpath.js"}
    assert all(each > 1 for each in told["ratio"].values())
