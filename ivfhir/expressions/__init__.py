"""Expressions over one patient's resources: values, three-valued operators, and the ELM compiler."""
