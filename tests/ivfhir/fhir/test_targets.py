"""What references name: contained resources, entries of the own Bundle, of others in it."""

import pytest

from ivfhir.fhir.targets import Targets

BASE = "https://x.example/fhir"
UUID = "urn:uuid:2a3d7a72-9b4a-4ba4-9d8a-2a3d7a729b4a"


def patient(id_="p", **more):
    return {"resourceType": "Patient", "id": id_, **more}


def bundle(*rows):
    entries = [{"resource": each} | ({"fullUrl": url} if url else {}) for url, each in rows]
    return {"resourceType": "Bundle", "entry": entries}


HOLDER = {"resourceType": "Basic", "id": "b"}


def resolved(text, *rows, own=None):
    return Targets(bundle(*rows, (own, HOLDER))).resolve(text, HOLDER)


@pytest.mark.parametrize(
    ("text", "url", "own"),
    [
        (UUID, UUID, None),
        (f"{BASE}/Patient/p", f"{BASE}/Patient/p", None),
        ("Patient/p", f"{BASE}/Patient/p", f"{BASE}/Basic/b"),
        ("Patient/p", f"{BASE}/Patient/p", None),
        ("Patient/p", UUID, f"{BASE}/Basic/b"),
        ("Patient/p", None, None),
        ("Patient/p/_history/3", f"{BASE}/Patient/p", f"{BASE}/Basic/b"),
    ],
)
def test_an_entry_is_found(text, url, own):
    one = patient()
    assert resolved(text, (url, one), own=own) is one


@pytest.mark.parametrize(
    ("text", "url", "own"),
    [
        (UUID, None, None),
        ("Patient/q", f"{BASE}/Patient/p", None),
        ("Patient/p", "https://y.example/Patient/p", f"{BASE}/Basic/b"),
        (f"{BASE}/Patient/p", UUID, None),
    ],
)
def test_what_is_not_here_is_not_known(text, url, own):
    assert resolved(text, (url, patient()), own=own) is None


@pytest.mark.parametrize(("version", "number"), [("1", 0), ("2", 1), ("3", None), (None, None)])
def test_of_several_versions_the_one_that_is_named_is_meant(version, number):
    both = [patient(meta={"versionId": each}) for each in "12"]
    text = f"{BASE}/Patient/p" + (f"/_history/{version}" if version else "")
    found = resolved(text, *((f"{BASE}/Patient/p", each) for each in both))
    assert found is (None if number is None else both[number])


def test_the_own_bundle_goes_before_others():
    first, second, third = (patient(birthDate=each) for each in ("2000", "2001", "2002"))
    holder = dict(HOLDER)
    inner = [bundle((UUID, first), (None, holder)), bundle((UUID, second))]
    outer = bundle((None, inner[0]), (None, inner[1]), (f"{BASE}/Patient/p", third))
    targets = Targets(outer)
    assert targets.resolve(UUID, holder) is first
    assert targets.resolve(UUID, third) is None
    assert targets.resolve(f"{BASE}/Patient/p", holder) is third
    assert targets.has(UUID)


def test_what_is_contained_is_found_by_its_id():
    one, two = patient(), patient(birthDate="2000")
    root = {**HOLDER, "contained": [5, {"id": 5}, one, two]}
    targets = Targets(root)
    assert targets.resolve("#p", root) is one
    assert targets.resolve("#", root) is root
    assert targets.resolve("#q", root) is None
    assert targets.resolve("#p", {**HOLDER, "contained": 5}) is None
    assert (targets.is_inside(one, root), targets.is_inside(two, root)) == (True, False)
    assert not targets.is_bundle


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (UUID, "Patient"),
        ("Group/1", "Group"),
        (f"{BASE}/Group/1/_history/2", "Group"),
        ("Something/1", None),
        ("Group?identifier=1", None),
        ("#x", None),
    ],
)
def test_the_type_of_what_is_named_may_be_known_without_it(text, name):
    assert Targets(bundle((UUID, patient()))).type_of(text, HOLDER) == name


@pytest.mark.parametrize(
    "raw", [None, 5, [], bundle(), {"resourceType": "Bundle", "entry": [5, {"resource": 5}]}]
)
def test_what_holds_nothing_has_no_targets(raw):
    assert Targets(raw).resolve("Patient/p", None) is None
