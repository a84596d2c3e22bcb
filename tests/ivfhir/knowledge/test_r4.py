"""Every artefact that we author is R4, by the models of fhir.resources."""

import json

import pytest
from fhir.resources.R4B import get_fhir_model_class

from ivfhir.knowledge.package import knowledge_root

ARTEFACTS = sorted(knowledge_root().glob("*/[A-Z]*-*.json"))


@pytest.mark.parametrize("path", ARTEFACTS, ids=lambda path: path.stem)
def test_artefact_is_r4(path):
    resource = json.loads(path.read_text())
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
