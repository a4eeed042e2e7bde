"""taskhost's embedded broker: a SQLite file.

The file is taskhost's. Its tables and the rules of who may write when stand in Sources/Systems/SQLite of taskhost; this
package follows them and never makes or lifts a file.
"""
