"""The host for unit tests in C and C++: what a test may call a task."""

import subprocess
import unittest

from bundles import FOLDER, HERE, SDK


class Testing(unittest.TestCase):
    COMPILERS = ("cc", "-std=gnu11"), ("c++", "-xc++", "-std=c++20")

    def run_tests(self, name, args="[]"):
        """How the test ended that calls this task, in each language."""
        for number, compiler in enumerate(self.COMPILERS):
            program = FOLDER / f"tested{number}"
            if not program.exists():
                subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", f"-I{SDK}/include", "-o", program,
                                HERE / "bundles" / "tested.c"], check=True)
            yield subprocess.run([program, name, args], capture_output=True, text=True)

    def test_a_task_is_called_by_its_whole_name_or_that_without_the_bundles(self):
        for name in "twice", "tested.twice":
            for done in self.run_tests(name, "[4]"):
                self.assertEqual((done.returncode, done.stdout), (0, "4\n"), done.stderr)

    def test_a_name_of_its_own_has_no_bundles_before_it(self):
        for done in self.run_tests("elsewhere"):
            self.assertEqual(done.stdout, "1\n", done.stderr)
        for name in "tested.elsewhere", "tested", "tested.", "teste.twice", "other.twice":
            for done in self.run_tests(name):
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"{name} is no task of this bundle", done.stderr)

    def test_a_typed_task_is_said_to_be_a_function_by_either_name(self):
        for name in "wc", "tested.wc":
            for done in self.run_tests(name):
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("taskhost_testing.h: wc is declared by TASK_DEF: call its function", done.stderr)
