"""Runs the tasks in this process: python3 -m unittest"""
import unittest
from unittest import mock

from tasks import add, count


class TaskTests(unittest.TestCase):
    def test_a_sum(self):
        self.assertEqual(add(4, 6), 10)

    def test_counting_tells_how_far_it_is(self):
        with mock.patch.object(count, "update_state") as told:
            self.assertEqual(count(4), [1, 2, 3, 4])
        self.assertEqual(told.call_args_list[0].kwargs["meta"], {"done": 1, "total": 4, "current": 1, "percent": 25.0})


if __name__ == "__main__":
    unittest.main()
