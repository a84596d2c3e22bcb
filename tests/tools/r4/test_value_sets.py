"""Value sets are kept where the specification lists all of their codes."""

import pytest

from ivfhir.fhir.expansions import UNFINISHED
from tools.r4.value_sets import MAX_CODES, build_value_sets

URL = "http://x.example/vs"
TABLE = {"Box": [None, "resource", {"a": f"0..1 code required {URL}|1", "b": "0..1 code"}]}


def codes(expansion, url=URL):
    return build_value_sets([{"url": url, "expansion": expansion}], TABLE, []).get(url)


def entry(code, *inside, **words):
    return {"system": "s", "code": code, "contains": list(inside)} | words


def test_codes_are_kept_by_system_at_any_depth():
    expansion = {"contains": [entry("a", entry("b")), entry("c", system="t")]}
    assert codes(expansion) == {"s": ["a", "b"], "t": ["c"]}


def test_what_only_groups_others_is_no_code():
    assert codes({"contains": [entry("a", entry("b"), abstract=True)]}) == {"s": ["b"]}


@pytest.mark.parametrize(
    "expansion",
    [
        {"contains": [entry("a")], "total": 2},
        {"contains": []},
        *({"contains": [entry("a")], "extension": [{"url": url}]} for url in sorted(UNFINISHED)),
    ],
)
def test_a_set_that_is_not_listed_whole_is_not_known(expansion):
    assert codes(expansion) is None


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (1, False)])
def test_a_large_set_is_kept_only_where_an_element_is_bound_to_it(more, is_kept):
    expansion = {"contains": [entry(str(number)) for number in range(MAX_CODES + more)]}
    assert (codes(expansion, "other") is not None) is is_kept
    assert codes(expansion) is not None


@pytest.mark.parametrize(
    ("include", "listed"),
    [
        ({"system": "s", "concept": [{"code": "b"}, {"code": "a"}]}, {"s": ["a", "b"]}),
        ({"system": "s"}, None),
    ],
)
def test_a_set_without_an_expansion_is_what_it_lists(include, listed):
    defined = [{"url": "x", "compose": {"include": [include]}}, {"url": "other"}, {}]
    assert build_value_sets([], TABLE, defined).get("x") == listed
