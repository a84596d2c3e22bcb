"""The run-time errors that CQL itself defines."""


class CqlError(Exception):
    """An operator met what CQL calls a run-time error; the text holds no patient data."""
