"""What a clinician may confirm."""

import pytest

from ivfhir.dosing.confirmable import check_confirmed
from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules


def test_ids_are_kept_and_unknown_ones_refused():
    assert check_confirmed(["hearing", "dpd"]) == {"hearing", "dpd"}
    with pytest.raises(ParameterError, match=r"holds deaf.*hearing"):
        check_confirmed(["deaf"])


def test_the_promised_ids_are_there():
    promised = "hearing neuropathy histology nyha dpd ugt1a1 folate-b12 cumulative-dose"
    assert set(promised.split()) <= set(dosing_rules().statements)
