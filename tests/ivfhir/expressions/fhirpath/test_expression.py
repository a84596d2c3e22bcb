"""An expression is compiled once; what would take too long is refused."""

import time

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import Services, compile_fhirpath
from tests.ivfhir.expressions.fhirpath.asked import NOTHING, PATIENT, ask

GROWING = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10)"


def test_it_is_evaluated_as_often_as_one_likes_and_changes_nothing():
    expression = compile_fhirpath("name.given.first()")
    before = repr(PATIENT)
    assert expression.evaluate(PATIENT)[0].value == expression.evaluate(PATIENT)[0].value == "Per"
    assert expression.evaluate({"resourceType": "Patient"}) == []
    expression.evaluate(PATIENT).append("not in the resource")
    assert repr(PATIENT) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [("name.exists()", True), ("name.empty()", False), ("photo", None), ("name[0]", True)],
)
def test_a_condition_has_a_truth(text, expected):
    assert compile_fhirpath(text).is_true(PATIENT) is expected


@pytest.mark.parametrize(
    "text",
    [
        ".".join([GROWING] + [f"select({GROWING})"] * 7),
        "repeat($this)".join(["1.", ""]).replace("1.", "1.repeatAll(1)."),
        "'ab'.repeatAll($this & 'b')",
        "(1).select('x'.replace('', 'xxxxxxxxxxxxxxxx'))"
        + ".replace('x', 'xxxxxxxxxxxxxxxxxxxx')" * 9,
    ],
)
def test_what_grows_without_end_is_refused(text):
    with pytest.raises(FhirPathError):
        ask(text)


def test_a_fault_of_ours_is_not_taken_for_json_of_another_shape():
    def broken(name, items):
        raise KeyError(name)

    with pytest.raises(KeyError):
        ask("1.trace('x')", NOTHING, services=Services(trace=broken))


def test_without_a_moment_there_is_no_now():
    with pytest.raises(FhirPathError, match="needs a moment"):
        compile_fhirpath("now()").evaluate(NOTHING)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.frob()", "no function frob"),
        ("a.Where(b)", r"there is where\(\)"),
        ("a.where()", "takes 1 arguments, not 0"),
        ("a.first(1)", "takes 0 arguments, not 1"),
        ("a.exists(1, 2)", "takes 0 to 1 arguments"),
    ],
)
def test_a_function_that_is_not_there_is_refused_when_compiling(text, said):
    with pytest.raises(FhirPathError, match=said) as raised:
        compile_fhirpath(text)
    assert raised.value.column == 3


def test_what_is_asked_too_often_of_a_long_text_is_refused():
    asked = f"%many.where('{'x' * 150}'.matches('.*a.*b')).count()"
    assert ask(asked, variables={"many": [1] * 1000}) == [0]
    with pytest.raises(FhirPathError, match="more than"):
        ask(asked, variables={"many": [1] * 2000})


def test_many_alike_are_told_apart_in_no_time():
    names = [{"family": f"x{number % 50000}", "use": "old"} for number in range(100_000)]
    began = time.perf_counter()
    assert ask("name.distinct().count()", {"resourceType": "Patient", "name": names}) == [50000]
    assert time.perf_counter() - began < 5
