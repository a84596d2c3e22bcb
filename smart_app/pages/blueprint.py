"""The blueprint of the pages; the modules `routes_…` put their views on it."""

from flask import Blueprint

blueprint = Blueprint("pages", __name__)
