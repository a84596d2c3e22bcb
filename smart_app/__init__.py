"""The SMART on FHIR app: launch, the clinician's pages, and a simulated EHR to launch it from."""

from smart_app.app import create_app

__all__ = ["create_app"]
