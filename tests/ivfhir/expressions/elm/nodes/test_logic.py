"""Three-valued logic: https://cql.hl7.org/09-b-cqlreference.html#logical-operators-3."""

from decimal import Decimal

import pytest

from tests.ivfhir.expressions.loaded import same, value

T, F, N = True, False, None
WORDS = {"True": T, "False": F, "Null": N}
TABLES = {
    "And": {"TT": T, "TF": F, "TN": N, "FT": F, "FF": F, "FN": F, "NT": N, "NF": F, "NN": N},
    "Or": {"TT": T, "TF": T, "TN": T, "FT": T, "FF": F, "FN": N, "NT": T, "NF": N, "NN": N},
    "Xor": {"TT": F, "TF": T, "TN": N, "FT": T, "FF": F, "FN": N, "NT": N, "NF": N, "NN": N},
    "Implies": {"TT": T, "TF": F, "TN": N, "FT": T, "FF": T, "FN": T, "NT": T, "NF": N, "NN": N},
}
ANSWERS = {
    "NotTrue": False,
    "NotFalse": True,
    "NotNull": None,
    "ChainAndNull": None,
    "ChainAndFalse": False,
    "ChainOrNull": None,
    "ChainOrTrue": True,
    "NullIsNull": True,
    "OneIsNull": False,
    "NullIsTrue": False,
    "FalseIsTrue": False,
    "TrueIsTrue": True,
    "NullIsFalse": False,
    "FalseIsFalse": True,
    "IfNull": "else",
    "IfTrue": "then",
    "CaseWhen": 3,
    "CaseElse": 4,
    "CaseComparand": "two",
    "LogicOfElements": [True, False, True, None, False],
    "LogicOfLocals": ["a"],
    "LogicOfMore": [True, False],
    "CaseText": "two",
    "CaseTextElse": ["one", "z!", "!"],
    "CaseTextToNull": [None, "other"],
    "CaseTextComputed": ["aa", "two", "many"],
    "CaseNullComparand": "else",
    "CoalesceThird": 3,
    "CoalesceNone": None,
    "CoalesceList": 2,
    "AllTrueNull": True,
    "AllTrueFalse": False,
    "AllTrueOfNothing": True,
    "AllTrueOfNull": True,
    "AnyTrueNull": False,
    "AnyTrueOne": True,
    "AnyTrueOfNothing": False,
    "MixedBranches": Decimal("3.0"),
}


@pytest.mark.parametrize("operator", TABLES)
@pytest.mark.parametrize("left", WORDS)
@pytest.mark.parametrize("right", WORDS)
def test_truth_table(operator: str, left: str, right: str) -> None:
    expected = TABLES[operator][left[0] + right[0]]
    assert value("Logic", f"{left}{operator}{right}") is expected


@pytest.mark.parametrize("define", ANSWERS)
def test_answer(define: str) -> None:
    assert same(value("Logic", define), ANSWERS[define])
