"""A site's thresholds on an independent engine: they are CQL parameters, given by name."""

from decimal import Decimal
from typing import Any

import pytest

from ivfhir.fhir.json import loads
from smart_app.fake_ehr.sample_patients import FOLDER
from tests.servers.hapi_client import evaluate_on_hapi

pytestmark = pytest.mark.server

PLATELETS = "777-3"


def bundle_with_platelets(count: int) -> dict[str, Any]:
    [path] = FOLDER.glob("okafor-*.json")
    bundle: dict[str, Any] = loads(path.read_text(encoding="utf-8"), place=path.name)
    for entry in bundle["entry"]:
        codes = entry["resource"].get("code", {}).get("coding", [])
        if any(each["code"] == PLATELETS for each in codes):
            entry["resource"]["valueQuantity"]["value"] = Decimal(count)
    return bundle


@pytest.mark.parametrize(("given", "bleeds"), [({}, False), ({"X_BLEED_platelets": 75}, True)])
def test_hapi_takes_the_number_of_a_site(
    given: dict[str, int], bleeds: bool, hapi_with_knowledge: str
) -> None:
    parameters = {"AsOf": {"valueDateTime": "2025-03-03T23:59:59.999Z"}}
    parameters |= {name: Decimal(value) for name, value in given.items()}
    values = evaluate_on_hapi(
        hapi_with_knowledge, "IOCommon", bundle_with_platelets(65), parameters, defines=["X_BLEED"]
    )
    assert values["X_BLEED"] is bleeds
