"""PostgreSQL as broker: the tables of the schema `taskhost`, as Sources/Systems/PostgreSQL/Broker of taskhost describes them.

This package follows them, and never makes or lifts the schema.
"""
