"""UCUM's grammar; HAPI's validator agreed with each answer here but where a test says so."""

import pytest

from ivfhir.fhir.ucum import unit_problem

RIGHT = [
    "mg",
    "mg/ml",
    "mm[Hg]",
    "{score}",
    "1",
    "%",
    "10*9/L",
    "10^9/L",
    "U/l",
    "[iU]/mL",
    "kg/m2",
    "Cel",
    "mL/min/{1.73_m2}",
    "/uL",
    "mg/dL{x}",
    "m2.kg",
    "ug",
    "[degF]",
    "(mg/L)/s",
    "uU",
    "mol/L",
    "10*-3",
    "10*+3",
    "[in_i'Hg]",
    "cm[H2O]",
    "B[10.nV]",
    "m-1",
    "m+2",
    "{tot}/{x}",
    "[pH]",
    "cal_[15]",
    "10*6.[CFU]/L",
    "10*3.ug",
    "daL",
    "[arb'U]",
    "L/(min.m2)",
    "{a}{b}",
    "mg{a}{b}",
    "g%",
]
WRONG = [
    "mcg",
    "mmHg",
    "IU",
    "cel",
    "mg/",
    "x10*3",
    "mMol/L",
    "KPa",
    "{",
    "}",
    "mg}",
    "mg(",
    "(mg",
    "mg.",
    ".mg",
    "tablet",
    "mEq/L",
    "[iU",
    "iU]",
    "mg{a",
    "m*",
]


@pytest.mark.parametrize("code", RIGHT)
def test_a_unit_of_ucum_passes(code):
    assert unit_problem(code) is None


@pytest.mark.parametrize("code", WRONG)
def test_another_text_does_not(code):
    assert unit_problem(code) is not None


@pytest.mark.parametrize("code", ["mg)", "//mg"])
def test_what_hapi_lets_pass_but_the_grammar_does_not(code):
    assert unit_problem(code) is not None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("mcg", "holds 'mcg', which UCUM does not have; is ug meant?"),
        ("mMol/L", "holds 'mMol', which UCUM does not have; is mmol meant?"),
        ("mg / dL", "has a blank, which no unit of UCUM has; is mg/dL meant?"),
        ("tablet", "a word of your own stands in braces: {tablet}"),
        ("mg/", "ends where a unit or a number is missing"),
        ("(mg", "has a bracket that is not closed"),
        ("kg/m²", "holds '²', but UCUM is written in ASCII alone"),
        ("(" * 60 + "m" + ")" * 60, "more than 50 brackets"),
        ("m" * 1001, "is longer than 1000 characters"),
    ],
)
def test_what_is_wrong_is_said(code, said):
    assert said in unit_problem(code)
