"""CQL's operators as plain functions over values.

Shared by every language that is compiled to them.

None is null. Unless a function says otherwise, its caller has already answered None for a null
argument.
"""
