"""Value sets of packages, expanded as far as they can be."""

from copy import deepcopy
from types import SimpleNamespace

import pytest

from ivfhir.packages import Found, Packages, open_package
from ivfhir.packages.value_sets import ValueSets
from tests.ivfhir.packages.making import definition, write_folder

S, T = "http://x.example/S", "http://x.example/T"
GENDER = "http://hl7.org/fhir/administrative-gender"
SYSTEM = definition(
    S,
    "CodeSystem",
    content="complete",
    concept=[
        {"code": "a", "concept": [{"code": "b", "concept": [{"code": "c"}]}]},
        {"code": "d", "property": [{"code": "subsumedBy", "valueCode": "c"}]},
        {"code": "e", "property": [{"code": "old", "valueBoolean": True}]},
    ],
    caseSensitive=True,
)
CODING = {"system": T, "code": "x"}
RICH = definition(
    f"{S}/rich",
    "CodeSystem",
    content="complete",
    caseSensitive=True,
    property=[
        {"code": "notSelectable", "type": "boolean"},
        {"code": "under", "type": "code", "uri": "http://hl7.org/fhir/concept-properties#parent"},
        {"code": "rank", "type": "integer"},
    ],
    concept=[
        {"code": "a", "property": [{"code": "child", "valueCode": "c"}]},
        {"code": "b", "property": [{"code": "under", "valueCode": "a"}]},
        {"code": "c", "property": [{"code": "notSelectable", "valueBoolean": False}]},
        {"code": "d", "property": [{"code": "notSelectable", "valueBoolean": True}]},
        {"code": "e", "property": [{"code": "rank", "valueInteger": 5}]},
        {"code": "f", "property": [{"code": "like", "valueCoding": CODING}]},
        {"code": "g", "property": [{"code": "rank", "valueDecimal": 5.0}]},
        {"code": "h", "property": [{"code": "rank"}, {"code": "inactive", "valueBoolean": True}]},
    ],
)
LOOSE = definition(f"{S}/loose", "CodeSystem", content="complete", concept=[{"code": "Ab"}])


def url(name):
    return f"http://x.example/{name}"


def value_set(name, *include, **more):
    return definition(url(name), "ValueSet", compose={"include": list(include), **more})


def is_a(operator, value, name="concept"):
    return {"system": S, "filter": [{"property": name, "op": operator, "value": value}]}


def rich(name, operator, value):
    row = {"property": name, "op": operator, "value": value}
    return {"system": f"{S}/rich", "filter": [row]}


LISTED = {"system": S, "concept": [{"code": "a"}, {"code": "x"}]}
SETS = [
    value_set("listed", LISTED),
    value_set("whole", {"system": S}),
    value_set("is-a", is_a("is-a", "b")),
    value_set("below", is_a("descendent-of", "b")),
    value_set("old", is_a("=", "true", "old")),
    value_set("regex", is_a("regex", "b.*", "code")),
    value_set("foreign", {"system": T}),
    value_set("import", {"valueSet": [url("listed")]}, {"system": T}),
    value_set("both", {"valueSet": [url("listed"), url("whole")]}),
    value_set("of-system", {"system": S, "valueSet": [url("none")]}),
    value_set("minus", {"system": S}, exclude=[LISTED]),
    value_set("r4", {"system": GENDER}),
    value_set("self", {"valueSet": [url("self")]}, LISTED),
    definition(
        url("expanded"),
        "ValueSet",
        expansion={"contains": [{"system": S, "code": "a"}]},
        compose={"include": [{"system": S}]},
    ),
]


@pytest.fixture(scope="module")
def value_sets(tmp_path_factory):
    path = write_folder(tmp_path_factory.mktemp("p") / "p", SYSTEM, RICH, LOOSE, *SETS)
    return ValueSets(Packages([open_package(path)]))


@pytest.mark.parametrize(
    ("name", "members", "unsure"),
    [
        ("listed", "ax", ""),
        ("whole", "abcde", ""),
        ("is-a", "bcd", ""),
        ("below", "cd", ""),
        ("old", "e", ""),
        ("regex", "", "abcdex"),
        ("foreign", "", ""),
        ("import", "ax", ""),
        ("both", "a", ""),
        ("of-system", "", "abcdex"),
        ("minus", "bcde", ""),
        ("self", "ax", "bcde"),
        ("expanded", "a", ""),
    ],
)
def test_a_set_is_expanded_as_far_as_it_can_be(value_sets, name, members, unsure):
    codes = value_sets.codes(url(name))
    answers = {each: codes.has(S, each) for each in "abcdex"}
    assert [each for each, is_in in answers.items() if is_in] == list(members)
    assert {each for each, is_in in answers.items() if is_in is None} <= set(unsure)
    assert bool(unsure) == (None in answers.values())


def test_a_system_that_is_not_here_is_not_known(value_sets):
    assert value_sets.codes(url("foreign")).has(T, "a") is None
    assert value_sets.codes(url("import")).has(T, "a") is None
    assert value_sets.codes(url("listed")).has(T, "a") is False


def test_a_code_system_of_hl7_needs_no_package(value_sets):
    codes = value_sets.codes(url("r4"))
    assert (codes.has(GENDER, "male"), codes.has(GENDER, "x")) == (True, False)


def test_a_set_that_nobody_has_is_none(value_sets):
    assert value_sets.codes(url("none")) is None


def test_imports_without_end_are_not_known(tmp_path):
    rows = [value_set(f"v{n}", {"valueSet": [url(f"v{n + 1}")]}) for n in range(900)]
    known = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))]))
    assert known.codes(url("v0")).has(S, "a") is None


def test_r4_has_its_own():
    gender = ValueSets(Packages()).codes("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")
    assert gender.has("http://hl7.org/fhir/administrative-gender", "male") is True
    assert gender.is_whole


RICH_CODES = "abcdefgh"


@pytest.mark.parametrize(
    ("filter_", "members", "unsure"),
    [
        (rich("concept", "is-a", "a"), "abc", ""),
        (rich("parent", "=", "a"), "bc", ""),
        (rich("under", "=", "a"), "bc", ""),
        (rich("child", "=", "c"), "a", ""),
        (rich("notSelectable", "=", "true"), "d", ""),
        (rich("notSelectable", "=", "false"), "c", "abefgh"),
        (rich("inactive", "=", "false"), "abcdefg", ""),
        (rich("rank", "=", "5"), "eg", "h"),
        (rich("rank", "=", "x"), "", "h"),
        (rich("like", "=", "x"), "f", ""),
        (rich("unheard-of", "=", "x"), "", RICH_CODES),
        (rich("concept", "is-a", "z"), "", RICH_CODES),
        (rich("parent", "=", "z"), "", RICH_CODES),
        (rich("rank", "=", None), "", RICH_CODES),
        (rich(["rank"], "=", "5"), "", RICH_CODES),
        ({"system": f"{S}/rich", "filter": {"property": "rank"}}, "", RICH_CODES),
    ],
)
def test_what_a_filter_takes_is_in_or_out_or_not_known(tmp_path, filter_, members, unsure):
    rows = [RICH, value_set("filtered", filter_)]
    known = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))]))
    answers = {each: known.codes(url("filtered")).has(f"{S}/rich", each) for each in RICH_CODES}
    assert "".join(each for each, is_in in answers.items() if is_in) == members
    assert "".join(each for each, is_in in answers.items() if is_in is None) == unsure
    assert known.codes(url("filtered")).has(f"{S}/rich", "z") is False


def test_a_filter_by_what_is_nested_takes_the_children(tmp_path):
    rows = [SYSTEM, value_set("filtered", is_a("=", "b", "parent"))]
    known = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))]))
    assert [each for each in "abcde" if known.codes(url("filtered")).has(S, each)] == ["c"]


@pytest.mark.parametrize("concept", [{}, {"concept": [{"code": "aB"}]}])
def test_where_case_does_not_count_a_code_may_be_written_in_any(tmp_path, concept):
    """Of a CodeSystem that does not say it, too: accept codes in any case."""
    rows = [LOOSE, value_set("any", {"system": f"{S}/loose"} | concept)]
    codes = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))])).codes(
        url("any")
    )
    assert [codes.has(f"{S}/loose", each) for each in ("Ab", "AB", "x")] == [True, True, False]


def test_a_code_in_another_case_is_taken_out(tmp_path):
    loose = {"system": f"{S}/loose"}
    rows = [LOOSE, value_set("less", loose, exclude=[loose | {"concept": [{"code": "aB"}]}])]
    known = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))]))
    assert known.codes(url("less")).has(f"{S}/loose", "Ab") is False


def test_in_a_set_of_r4_it_counts_as_the_code_system_says():
    own = "http://terminology.hl7.org/CodeSystem/v2-0131"
    codes = ValueSets(Packages()).codes("http://hl7.org/fhir/ValueSet/patient-contactrelationship")
    assert [codes.has(own, each) for each in "Nnx"] == [True, True, False]


TWISTS = [None, [], {}, "", 5, {"x": 1}, "in an array"]
WHOLE = value_set(
    "twisted",
    LISTED,
    is_a("is-a", "b"),
    {"valueSet": [url("listed")], "system": S, "version": "1"},
    exclude=[{"system": S, "concept": [{"code": "c"}]}],
)


def members(value, *, way=()):
    """Yield each object and array inside a value, with each name or number in it."""
    if isinstance(value, dict | list):
        for name in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, name, (*way, name)
            yield from members(value[name], way=(*way, name))


@pytest.mark.parametrize("twist", TWISTS, ids=str)
def test_what_is_malformed_makes_nothing_sure(twist):
    """A code that is in stays in or is not known; so does one that is out."""
    system, whole = deepcopy(SYSTEM), deepcopy(WHOLE)
    held = {"CodeSystem": {S: system}, "ValueSet": {url("listed"): SETS[0], url("twisted"): whole}}
    named = SimpleNamespace(
        find=lambda kind, canonical: (
            Found(held[kind][each]) if (each := canonical.partition("|")[0]) in held[kind] else None
        )
    )

    def answers():
        codes = ValueSets(named).codes(url("twisted"))
        return [codes.has(S, each) for each in "abcdexz"]

    right = answers()
    assert right == [True, True, False, True, False, True, False]
    for part in (system, whole):
        for holder, name, way in list(members(part)):
            if way[0] not in ("concept", "content", "compose"):
                continue
            value = holder[name]
            holder[name] = [value] if twist == TWISTS[-1] else twist
            wrong = [a for a, b in zip(answers(), right, strict=True) if a not in (b, None)]
            assert not wrong, (way, holder[name])
            holder[name] = value
    assert answers() == right
