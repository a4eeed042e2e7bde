"""Fault tests share the lab of the journeys. By hand:
Tests/Support/with-servers "$(Tests/Support/venv)" -m pytest -s Tests/Faults
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support")]
