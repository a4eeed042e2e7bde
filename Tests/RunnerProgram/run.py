"""Runs the runner's tests: builds the test bundles into a temporary folder, then every test_*.py beside this file.

TASKHOST_RUNNER and TASKHOST_SDK say which runner and SDK; arguments name tests, as unittest takes them.
`make -C Sources/Runner/taskhost-runner test` sets both."""

import sys
import unittest
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(sys.argv[1:]) if len(sys.argv) > 1 else loader.discover(str(here))
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
