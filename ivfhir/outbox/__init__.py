"""The outbox: accepted plans on their way to a server. Pure rules; who keeps the rows is outside.

`line` says which plan may be sent now, `failing` what becomes of one that did not arrive.
"""
