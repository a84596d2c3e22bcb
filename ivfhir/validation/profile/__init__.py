"""Profiles: what a StructureDefinition asks beyond R4, compiled once, asked of elements.

http://hl7.org/fhir/R4/profiling.html
"""
