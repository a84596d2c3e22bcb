import json

import pytest

from benchmarks.evaluate.__main__ import differences, main, none_problems
from benchmarks.evaluate.ours import OurEvaluator, every_protocol, some_protocols
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients
from tools import maven


class Fixed:
    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)

    def answers(self) -> list[tuple[str, ...]]:
        return self._answers


@pytest.mark.parametrize("cancer", [True, False])
def test_patients_are_the_same_each_time_and_of_the_size_that_is_claimed(cancer):
    patients = make_patients(5, cancer=cancer)
    assert patients == make_patients(5, cancer=cancer)
    assert {len(json.loads(each)["entry"]) for each in patients} == {RESOURCES_PER_PATIENT}


def test_patients_without_cancer_differ_in_their_conditions_alone():
    for with_it, without in zip(make_patients(9), make_patients(9, cancer=False), strict=True):
        pairs = zip(json.loads(with_it)["entry"], json.loads(without)["entry"], strict=True)
        changed = [one["resource"] for one, other in pairs if one != other]
        assert {each["resourceType"] for each in changed} == {"Condition"}


def test_patients_are_of_more_than_one_status():
    answers = OurEvaluator(make_patients(40), some_protocols("LUNG")).answers()
    statuses = {lung.split("|")[0] for (lung,) in answers}
    assert statuses == {"eligible", "indeterminate", "ineligible"}


def test_no_protocol_applies_to_patients_without_cancer_and_several_to_some_with_it():
    every = every_protocol()
    assert not none_problems(OurEvaluator(make_patients(20, cancer=False), every), every)
    applying = none_problems(OurEvaluator(make_patients(20), every), every)
    assert len(applying) > 20


def test_patient_and_protocol_on_whom_the_engines_differ_are_named():
    ours, theirs = Fixed(("a", "b"), ("b", "c")), Fixed(("a", "b"), ("b", "d"))
    assert differences(["X", "Y"], ours, theirs) == ["patient 1, Y: ours c, Java d"]
    theirs = Fixed(("a", "b"), ("b",))
    assert differences(["X", "Y"], ours, theirs) == ["patient 1, Y: ours c, Java None"]


@pytest.mark.server
def test_small_run_agrees_with_the_java_engine(java, capsys, monkeypatch):
    # Here the engines are to agree: nobody reads the rates.
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", " ".join(maven.QUICK_START))
    options = ["--patients", "12", "--warm-up", "0", "--turns", "1", "--seconds", "0.5"]
    assert main(options) == 0
    report = json.loads(capsys.readouterr().out)
    [turn] = report["turns"]
    quotients = {
        "ratio": turn["ours"] / turn["java"],
        "sevenProtocolsCost": turn["ours"] / turn["seven"],
        "allProtocolsCost": turn["ours"] / turn["all"],
        "allRatio": turn["all"] / turn["javaAll"],
        "noneAppliesCost": turn["ours"] / turn["none"],
    }
    assert {name: report[name] for name in quotients} == pytest.approx(quotients, rel=0.1)
    assert {"LUNG", "LIVER", "STENT"} < set(report["allProtocols"])
