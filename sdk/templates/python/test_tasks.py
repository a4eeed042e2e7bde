"""Runs the tasks in this process: python3 -m unittest"""
import unittest

from tasks import add


class TaskTests(unittest.TestCase):
    def test_a_sum(self):
        self.assertEqual(add(4, 6), 10)


if __name__ == "__main__":
    unittest.main()
