"""Expressions over one patient's resources.

Values, three-valued operators, and the ELM compiler.
"""
