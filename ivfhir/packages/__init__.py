"""FHIR packages of a folder or .tgz: definitions by their canonical.

https://hl7.org/fhir/packages.html
"""

from ivfhir.packages.package import Package, open_package
from ivfhir.packages.packages import Found, Packages

__all__ = ["Found", "Package", "Packages", "open_package"]
