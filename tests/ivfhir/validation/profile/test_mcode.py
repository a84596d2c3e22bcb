"""The examples of mCODE 4.0.0 with its own profiles: no false error, and no mutant unseen.

US Core 6.1, which mCODE builds on, is in no registry that we know; what needs it is not checked.
"""

from collections import Counter

import pytest

from ivfhir.fhir.json import loads
from ivfhir.packages import Packages, open_package
from ivfhir.validation import validate_resource
from ivfhir.validation.profile.library import Profiles
from tests.ivfhir.validation.profile.mutants import Snapshot
from tests.servers.needs import need
from tools.r4 import source

WRONG = {
    "Observation-body-surface-area-example.json": {"unit"},  # m^2
    # data-absent-reason|not-applicable, where only SNOMED CT and cancerstaging.org may be.
    "Observation-tnm-pathologic-distant-metastases-category-jenny-m.json": {"binding-required"},
}
EACH = 2
"""So many mutants of one kind and element of a profile are made."""
UNKNOWN = ":us-core"
"""Slices that a value set of US Core tells."""
ANY = "Observation.focus"
"""It may name anything in R4, and a profile of US Core in mCODE."""


@pytest.fixture(scope="module")
def known():
    need(source.missing_npm(source.MCODE))
    return Profiles(Packages([open_package(source.fetch(source.MCODE))]))


@pytest.fixture(scope="module")
def examples(known):
    rows = source.read_files(source.fetch(source.MCODE), "package/example/")
    return {name: loads(text.decode(), place=name) for name, text in rows}


def errors(resource, known):
    return [each for each in validate_resource(resource, known) if each.severity == "error"]


def test_an_example_has_an_error_only_where_it_is_wrong(examples, known):
    assert len(examples) > 170
    found = {name: {e.rule for e in errors(each, known)} for name, each in examples.items()}
    assert {name: rules for name, rules in found.items() if rules} == WRONG


def test_each_mutant_is_seen_at_its_place(examples, known):
    package = known.packages.packages[0]
    made = Counter()
    kinds = Counter()
    unseen = []
    for name, resource in examples.items():
        claims = resource.get("meta", {}).get("profile", [])[:1]
        rows = [row for url in claims for row in package.defined("StructureDefinition", url)]
        if not rows or name in WRONG or resource["resourceType"] == "Bundle":
            continue
        for mutant in Snapshot(rows[0], lambda url: is_outside(url, known)).mutants(resource):
            key = (rows[0]["url"], mutant.element, mutant.kind)
            if UNKNOWN in mutant.element or mutant.element == ANY or made[key] == EACH:
                continue
            made[key] += 1
            kinds[mutant.kind] += 1
            places = [e.pointer[: len(mutant.place)] for e in errors(mutant.resource, known)]
            if mutant.place not in places:
                unseen.append((name, mutant.kind, mutant.element, places))
    assert unseen == []
    assert sum(kinds.values()) > 600
    assert [kind for kind in KINDS if not kinds[kind]] == []


KINDS = (
    "missing",
    "slice missing",
    "too many of a slice",
    "other value",
    "other code",
    "other target",
    "other type",
)


def is_outside(url, known):
    codes = known.codes(url)
    return codes is not None and codes.is_whole
