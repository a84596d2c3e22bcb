"""Regular expressions are answered like Python's, and never run away."""

import random
import re
import time
import warnings

import pytest

from ivfhir.expressions.fhirpath import regex
from ivfhir.expressions.fhirpath.place import PlacedError

# Of R4's own rule eld-16: it repeats what repeats.
ELEMENT_PATH = (
    r"^[^\s.,:;\'\"\/|?!@#$%&*()\[\]{}]{1,64}(\.[^\s.,:;\'\"\/|?!@#$%&*()\[\]{}]{1,64}"
    r"(\[x\])?(\:[^\s\.]+)?)*$"
)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(a*)*b", r"(.*)*x", r"a*a*a*a*a*b"])
def test_what_would_run_away_takes_no_time(pattern):
    began = time.perf_counter()
    assert not regex.search("a" * 3000 + "!", pattern, 0)
    assert time.perf_counter() - began < 5


def test_what_could_run_away_on_a_long_text_is_walked():
    assert regex.is_quick(r".*Library.*", 60, 0)
    assert not regex.is_quick(r".*Library.*", 100_000, 0)
    assert regex.search("x" * 100_000 + "Library", r".*Library.*", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient.name", True),
        ("Patient.value[x]", True),
        ("Patient.value[x]:slice", True),
        ("Patient..name", False),
        ("Patient." + "a" * 65, False),
        ("Patient.na me", False),
    ],
)
def test_a_rule_of_r4_that_repeats_what_repeats_is_answered(text, expected):
    assert not regex.is_quick(ELEMENT_PATH, len(text), 0)
    assert regex.search(text, ELEMENT_PATH, 0) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"(ab?)+c",
        r"^(a|b)*$",
        r"((a|b){1,3}c)*",
        r"(a+b*)*c?",
        r"[^a]+(b[a-c]*)*",
        r"(\w+\s?)+!",
        r"(?:a.)*c",
        r"(a+b*)*$",
        r"(a$\n?)+",
        r"(?i)(ab?)+c",
        r"(?i)([^a]+b)*$",
        r"(?x) (a b?)+ c  # told",
        r"(?a)(\w+\s?)+!",
    ],
)
def test_the_walk_answers_like_python(pattern):
    numbers = random.Random(7)
    for _ in range(2000):
        text = "".join(numbers.choice("abcAÄ !\n") for _ in range(numbers.randrange(9)))
        assert regex.walk(text, pattern, 0, whole=True) is bool(
            re.fullmatch(pattern, text, re.DOTALL)
        )
        assert regex.walk(text, pattern, 0, whole=False) is bool(
            re.search(pattern, text, re.DOTALL)
        ), text


@pytest.mark.parametrize(
    ("text", "pattern", "new", "expected"),
    [
        ("11/30/1972", r"(\d+)/(\d+)/(\d+)", "$3-$1-$2", "1972-11-30"),
        ("ab", r"(?P<first>a)(b)", "${first}$2x", "abx"),
        ("a.b", r"\.", r"\\", r"a\\b"),
        ("a", "a", r"\$1", "$1"),
        ("abc", "", "x", "abc"),
    ],
)
def test_a_replacement_may_name_groups(text, pattern, new, expected):
    assert regex.replace(text, pattern, new, 0) == expected


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (regex.search, ("a", "(", 0), "no regular expression"),
        (regex.search, ("a", "a" * 3000, 0), "more than"),
        (regex.search, ("a", r"(a+)+\1", 0), "around or back"),
        (regex.search, ("a", r"(?m)(a+)+$", 0), "at single lines"),
        (regex.search, ("a", r"(?i:(a+)+)b", 0), "flags for a part"),
        (regex.search, ("a", "[[:alpha:]]", 0), "a set in a set"),
        (regex.search, ("a", r"((a{1,200}){1,200})*", 0), "too large"),
        (regex.replace, ("a" * 50, r"(a+)+b", "x", 0), "too long"),
        (regex.replace, ("a", "a", "$5", 0), "names a group"),
    ],
)
def test_what_cannot_be_bounded_is_refused(function, arguments, said):
    with pytest.raises(PlacedError, match=said):
        function(*arguments)


@pytest.mark.parametrize(
    "pattern", ["[[:digit:]]", "[a&&b]", "x[^+--b]", r"[\d||b]", "[]~~]", "a|[+--]", "[---]"]
)
def test_a_set_in_a_set_is_refused_whoever_compiled_it_before(pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        re.compile(pattern, re.DOTALL)
    with pytest.raises(PlacedError, match="a set in a set"):
        regex.search("a", pattern, 0)


@pytest.mark.parametrize(
    "pattern",
    ["[a[]", "[^[a]", r"\[[a]", r"[a\&&]", "a&&b--", "[&&]", "[--]", "(?#[[)a", "[a-]", "[]-]"],
)
def test_brackets_and_doubles_elsewhere_are_characters(pattern):
    assert regex.search("a", pattern, 0) in (True, False)


def test_what_python_warns_of_is_refused():
    chance = random.Random(1)
    told = 0
    for _ in range(20_000):
        pattern = "".join(chance.choices("[[]]^--&&~|\\ab(?#)", k=chance.randint(2, 9)))
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                re.compile(pattern, re.DOTALL)
            except re.error:
                continue
        told += bool(heard)
        assert not heard or regex.is_doubtful(pattern), pattern
    assert told > 100
