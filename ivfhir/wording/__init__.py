"""Words that every surface shares, a clinician's, for the names that machines use.

A low room: it knows no record, no page and no terminal.
"""
