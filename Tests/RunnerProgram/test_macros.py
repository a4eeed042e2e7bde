"""The SDK's macros in C and C++."""

import os
import subprocess
import unittest

from bundles import RUNNER, build
from runner_driver import *


class Macros(unittest.TestCase):
    COMPILERS = ("cc", "-std=c99", "-pedantic"), ("cc", "-std=gnu17"), ("c++", "-xc++", "-std=c++11", "-pedantic")

    def test_every_language_makes_a_bundle_with_one_symbol(self):
        for number, compiler in enumerate(self.COMPILERS):
            path = build(f"macros{number}", "macros.c", "more_macros.c", compiler=compiler,
                         flags=["-Wextra", "-fvisibility=hidden"])
            exported = os.popen(f"nm -D --defined-only {path}").read().split()
            self.assertEqual(exported[2:], ["taskhost_bundle_v1"])
            zygote = Zygote(RUNNER, path)
            names = [task["name"] for task in zygote.load()["tasks"]]
            self.assertEqual(names, ["m.scale", "named", "m.handle", "m.second"])
            self.assertEqual(zygote.manifest["sdk"], "1.4.0 c++" if "c++" in compiler else "1.4.0 c")
            self.assertEqual(zygote.manifest["schedules"], [
                {"name": "m.nightly", "task": "named", "cron": "30 2 * * *", "args": [False], "priority": 3},
                {"name": "m.often", "task": "named", "every": 0.5}])
            lane = zygote.lane()
            self.assertEqual(lane.run("m.scale", 3).value, 6.0)
            self.assertEqual(lane.run("named", True).value, False)
            self.assertEqual(lane.run("m.second").value, 2)
            self.assertEqual(zygote.close(), 0)

    def test_a_function_of_another_type_does_not_compile(self):
        for number, compiler in enumerate(self.COMPILERS):
            with self.assertRaises(subprocess.CalledProcessError) as failed:
                build("wrong", "macros.c", compiler=compiler, flags=["-DWRONG"], stderr=subprocess.PIPE)
            # Strict C99 has no static assertions with texts; there glibc's own words are the error.
            words = "__error_if_negative" if "-std=c99" in compiler else "scale() is not of the type its TASK_DEF"
            self.assertIn(words, failed.exception.stderr.decode().replace('" "', ""))
