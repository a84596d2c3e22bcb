"""R4's own search parameters, by the end of their canonicals."""

from tools.r4.search_parameters import BASE, build_search_parameters


def search(url, **members):
    made = {"resourceType": "SearchParameter", "url": url, "type": "date", "base": ["Patient"]}
    return made | members


def test_type_and_resources_are_kept():
    assert build_search_parameters([search(f"{BASE}Patient-birthdate")]) == {
        "Patient-birthdate": ("date", ["Patient"])
    }


def test_examples_and_those_of_others_are_left_out():
    others = [search(f"{BASE}example"), search("http://x.example/s"), {"resourceType": "Patient"}]
    assert build_search_parameters(others) == {}
