"""UCUM's own table, unchanged."""

import hashlib
from importlib import resources

from ivfhir.fhir.ucum.atoms import every_symbol, table

FOLDER = resources.files("ivfhir.fhir.ucum")


def test_the_table_is_the_one_that_its_licence_was_read_for():
    digest = hashlib.sha256(FOLDER.joinpath("ucum-essence.xml").read_bytes()).hexdigest()
    assert digest in FOLDER.joinpath("README.md").read_text(encoding="utf-8")


def test_metric_units_take_a_prefix_and_others_do_not():
    known = table()
    assert known.is_unit("m")
    assert known.is_unit("dam")
    assert known.is_unit("mL")
    assert not known.is_unit("mmin")
    assert not known.is_unit("k")


def test_symbols_are_found_whatever_their_case():
    assert every_symbol()["kpa"] == ("kPa",)
    assert set(every_symbol()["mmol"]) == {"mmol", "Mmol"}
