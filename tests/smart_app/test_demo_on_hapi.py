"""The demo in front of a real HAPI server: the samples are taken, and a launch comes to its end."""

from pathlib import Path

import pytest
import requests

from smart_app.demo import Ports, running_demo

pytestmark = pytest.mark.server


def test_a_launch_on_hapi_reads_the_record(hapi: str, tmp_path: Path) -> None:
    with running_demo(Ports(0, 0, 0), folder=tmp_path, fhir_url=hapi) as demo:
        browser = requests.Session()
        assert "Eligible" in browser.get(f"{demo.ehr_url}/open/halloran", timeout=60).text
        page = browser.get(f"{demo.ehr_url}/open/lindqvist", timeout=60)
        assert "Cannot tell" in page.text
