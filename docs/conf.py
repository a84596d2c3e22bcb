"""How Sphinx builds the user's guide: `make docs`."""

project = "ivfhir"
author = "ivfhir contributors"
extensions = ["myst_parser"]
html_theme = "furo"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
