"""What a handler is given by bind, against what Python does with a function of the same parameters."""

import itertools
import json
import unittest

from bundles import RUNNER, build
from runner_driver import *


def nothing(): return []
def one(a): return [a]
def two(a, b): return [a, b]
def three(a, b, c): return [a, b, c]
def optional(a, b=None, c=None): return [a, b, c]
def rest(a, b=None, *c): return [a, b, list(c)]
def named(a, b=None, **c): return [a, b, c]
def all(a, b=None, *c, **d): return [a, b, list(c), d]
def only(*a, **b): return [list(a), b]


FUNCTIONS = nothing, one, two, three, optional, rest, named, all, only


class Handlers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.zygote = Zygote(RUNNER, build("handlers", "handlers.c"))
        cls.zygote.load()
        cls.lane = cls.zygote.lane()

    @classmethod
    def tearDownClass(cls):
        cls.lane.close()
        cls.zygote.close()

    def outcome(self, name, body):
        self.lane.send_task("handlers." + name, body=body)
        frame = self.lane.result()
        if frame.code == SUCCESS:
            return frame.value
        self.assertEqual((frame.code, frame.value["exc_module"]), (FAILURE, "builtins"), frame)
        return frame.value["exc_type"], *frame.value["exc_message"]

    def check(self, function, args, kwargs):
        """The same outcome as Python's, which reads the same JSON."""
        try:
            expected = function(*json.loads(args), **json.loads(kwargs))
        except TypeError as error:
            expected = "TypeError", str(error)
        self.assertEqual(self.outcome(function.__name__, f"[{args}, {kwargs}, {{}}]"), expected,
                         f"{function.__name__}, {args}, {kwargs}")

    def test_every_call_ends_as_in_python(self):
        keywords = [dict.fromkeys(names, 5) for count in range(4) for names in itertools.permutations("abcd", count)]
        for function, count, kwargs in itertools.product(FUNCTIONS, range(5), keywords):
            self.check(function, json.dumps(list(range(count))), json.dumps(kwargs))

    def test_values_arrive_as_they_are_written_and_blanks_matter_nowhere(self):
        for function in all, only, optional:
            self.check(function, ' [ {"x": [1, {"y": "],}"}]}\n, "\\u00fc,]" ,\t-1.5e3 ] ', "{ }")
            self.check(function, " [ ] ", ' { "a" : [ 1 , 2 ] , "c" : { "f" : "}" } } ')
        self.check(all, ' [ 1 , 2 , [ 3 ] , "]" , { } , null ] ', ' { "x y" : 1 , "z" : "}" } ')
        self.check(only, "[123456789012345678901234567890, 1.0, Infinity]", "{}")

    def test_a_key_with_escapes_is_the_key_it_means(self):
        for function in two, all:
            self.check(function, "[1]", r'{"\u0062": 2}')
            self.check(function, "[1, 2]", r'{"\u0062": 2}')
            self.check(function, "[1]", r'{"\u0062": 2, "caf\u00e9 \"x\" \ud83d\ude00\n": 3}')
        self.check(two, "[1]", '{"\u00e9%s": 2}')
        self.check(two, "[1]", json.dumps({"k" * 10000: 2}))
        self.check(two, "[1]", json.dumps({"\u00fc" * 10000: 2}))

    def test_a_key_that_no_text_can_hold_is_shown_as_it_is_written(self):
        for key in r"\ud800", r"a\u0000b":
            self.assertEqual(self.outcome("one", f'[[], {{"{key}": 1}}, {{}}]'),
                             ("TypeError", f"one() got an unexpected keyword argument '{key}'"))
            self.assertEqual(self.outcome("only", f'[[], {{"{key}": 1}}, {{}}]'), [[], {json.loads(f'"{key}"'): 1}])

    def test_of_equal_keys_the_last_counts(self):
        self.check(two, "[]", r'{"a": 1, "b": 2, "\u0061": 3}')
        for function in all, only:
            self.check(function, "[]", r'{"a": 1, "b": 2, "\u0061": 3, "x": 4, "x": 5}')

    def test_arguments_that_are_no_call_are_refused(self):
        for kwargs in "null", "[]", "7":
            name = {"null": "NoneType", "[]": "list", "7": "int"}[kwargs]
            self.assertEqual(self.outcome("all", f"[[1],{kwargs},{{}}]"),
                             ("TypeError", f"all() argument after ** must be a mapping, not {name}"))
        self.assertEqual(self.outcome("all", "[null,{},{}]"),
                         ("TypeError", "all() argument after * must be an iterable, not NoneType"))
        for body in "", "[", "{}", "[[1]", "[" * 10000:
            self.assertEqual(self.outcome("all", body)[0], "ValueError", body[:20])

    def test_long_arguments_pass_and_nothing_of_them_is_left(self):
        rest = ["x" * 100] * 50000
        resident = []
        for _ in range(8):
            self.lane.send_task("handlers.all", body=json.dumps([[1, 2, *rest], {"k": rest}, {}]))
            frame = self.lane.result()
            self.assertEqual(frame.value, [1, 2, rest, {"k": rest}])
            resident.append(frame.usage[3])
        self.assertLess(resident[-1] - resident[1], 20 << 10, f"KiB, while each call has 10 MiB: {resident}")

    def test_the_first_verdict_is_the_refusal(self):
        self.assertEqual(self.outcome("stubborn", "[[],{},{}]"),
                         ("TypeError", "stubborn() missing 1 required positional argument: 'a'"))
        self.assertEqual(self.outcome("stubborn", "[[1],{},{}]"), "late")

    def test_the_manifest_shows_what_is_taken_from_what_is_left_over(self):
        tasks = {task["name"]: task for task in self.zygote.manifest["tasks"]}
        self.assertEqual(tasks["handlers.all"]["parameters"], [
            {"name": "a", "type": "Int"}, {"name": "b", "type": "Int", "default": 7}, {"name": "*c", "type": "[JSON]"},
            {"name": "**d", "type": "[String: JSON]"}])


if __name__ == "__main__":
    unittest.main()
