"""A simulated EHR: launcher, SMART authorization server, token-checked FHIR door."""

from smart_app.fake_ehr.app import create_fake_ehr
from smart_app.fake_ehr.config import Client, FakeEhrSettings
from smart_app.fake_ehr.serve import add_arguments, run

__all__ = ["Client", "FakeEhrSettings", "add_arguments", "create_fake_ehr", "run"]
