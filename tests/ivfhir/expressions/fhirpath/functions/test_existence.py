"""Whether there is something, and whether it holds."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.exists()", [True]),
        ("photo.exists()", [False]),
        ("photo.empty()", [True]),
        ("name.exists(use = 'nickname')", [True]),
        ("name.exists(use = 'old')", [False]),
        ("name.given.exists($index = 3)", [True]),
        ("name.given.exists($index = 4)", [False]),
        ("name.all(given.exists())", [True]),
        ("name.all(family.exists())", [False]),
        ("photo.all(false)", [True]),
        ("name.given.all($index < 4)", [True]),
        ("name.count()", [2]),
        ("name.given.count()", [4]),
        ("birthDate.count()", [1]),
        ("(true | false).anyTrue()", [True]),
        ("(true | false).allTrue()", [False]),
        ("(true | false).anyFalse()", [True]),
        ("(true | false).allFalse()", [False]),
        ("{}.allTrue()", [True]),
        ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
        ("(1 | 4).subsetOf(1 | 2 | 3)", [False]),
        ("(1 | 2 | 3).supersetOf(1 | 2)", [True]),
        ("(1 | 2).supersetOf(3)", [False]),
        ("name.given.where($this = 'Per').combine('Per').distinct()", ["Per"]),
        ("'a'.combine('a').isDistinct()", [False]),
        ("active.not()", [False]),
        ("{}.not()", []),
        ("name.exists().not()", [False]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


def test_what_is_no_boolean_is_refused():
    with pytest.raises(FhirPathError, match="takes Booleans, not a Integer"):
        ask_all_ways("(1 | 2).allTrue()", PATIENT)
