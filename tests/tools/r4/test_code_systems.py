"""Codes of HL7's code systems are kept where all of them are published."""

import pytest

from tools.r4.code_systems import build_code_systems

URL = "http://terminology.hl7.org/CodeSystem/box"


def system(*codes, **words):
    made = {
        "resourceType": "CodeSystem",
        "url": URL,
        "content": "complete",
        "caseSensitive": True,
        "concept": [{"code": each} for each in codes],
    }
    return made | words


def test_codes_are_kept_at_any_depth():
    tree = [{"code": "a", "concept": [{"code": "b"}]}]
    assert build_code_systems([system(concept=tree)]) == {URL: (["a", "b"], True)}


def test_codes_of_all_editions_are_together_and_case_counts_where_it_does_in_all():
    editions = [system("a"), system("a", "b", caseSensitive=False)]
    assert build_code_systems(editions) == {URL: (["a", "b"], False)}


@pytest.mark.parametrize(
    "unsure",
    [
        system("a", content="fragment"),
        system(),
        system("a", count=2),
        system("a", "NNxxx"),
        system("a", url="http://x.example/s"),
        system("a", url="http://hl7.org/fhir/CodeSystem/example"),
        {"resourceType": "ValueSet", "url": URL},
    ],
)
def test_what_is_not_listed_whole_is_not_known(unsure):
    assert build_code_systems([unsure]) == {}
    if unsure["url"] == URL and unsure["resourceType"] == "CodeSystem":
        assert build_code_systems([system("a"), unsure]) == {}
