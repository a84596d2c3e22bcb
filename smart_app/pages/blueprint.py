"""The blueprint of the pages; the modules `routes_…` put their views on it."""

from flask import Blueprint

from ivfhir.wording import words
from smart_app.pages.greyed import greyed

blueprint = Blueprint("pages", __name__)
blueprint.add_app_template_filter(words.in_words)
blueprint.add_app_template_filter(words.types_in)
blueprint.add_app_template_filter(greyed)
