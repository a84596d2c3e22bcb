"""Protocols of interventional oncology as computable FHIR: read, evaluate, plan, write back."""

__version__ = "0.1.0"
