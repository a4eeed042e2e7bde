"""What Swift handlers get of a message's arguments, against what Python does with functions of the same parameters."""

import itertools
import json

import runner_driver
from calls import loaded


def nothing(): return 7
def one(a): return a
def three(a, b, c): return [a, b, c]
def scale(value, factor=3, label=None): return f"{value * factor} {label or '-'}"
def echo(value): return value
def renamed(one, two=10): return [one, two]
def collects(a, b=2, *rest, **named): return [a, b, list(rest), named]
def rests(*rest): return list(rest)


FUNCTIONS = nothing, one, three, scale, echo, renamed, collects, rests
KEYWORDS = {}, {"a": 5}, {"b": 5, "a": 6}, {"value": 5}, {"factor": 5, "label": "l"}, {"two": 5, "one": 6}, {"second": 5}


def check_calls(bundle):
    """Numbers by position in every count, and each set of keywords."""
    for function, count, keywords in itertools.product(FUNCTIONS, range(5), KEYWORDS):
        # Where Python would take a number for the text.
        args = [*range(1, count + 1)][:2] + [None] * max(0, count - 2) if function is scale else [*range(1, count + 1)]
        call = f"{function.__name__}(*{args}, **{keywords})"
        frame = bundle.call("arguments." + function.__name__, *args, **keywords)
        try:
            expected = function(*args, **keywords)
        except TypeError as error:
            failure = frame.value
            assert frame.code == runner_driver.FAILURE, f"{call}: {frame.text}, not {error}"
            assert (failure["exc_type"], failure["exc_module"]) == ("TypeError", "builtins"), f"{call}: {failure}"
            assert failure["exc_message"] == [str(error)], f"{call}: {failure['exc_message']}, not {error}"
        else:
            assert (frame.code, frame.value) == (runner_driver.SUCCESS, expected), f"{call}: {frame.text}"


def check_values(bundle):
    values = [1, "z", None, {"a": [1.5, "}"]}, [], 123456789012345678901234567890, "\u00e9\U0001f600"]
    assert bundle.value("arguments.collects", 1, 2, *values, **{"k": values, "\u00e9 \"": 1}) == [
        1, 2, values, {"k": values, "\u00e9 \"": 1}], "values that are left over"
    assert bundle.value("arguments.scale", 4, label=None) == "12 -", "null for an optional"
    failure = bundle.failure("arguments.one", json.loads('{"\\ud800": 4}'))
    assert failure["exc_type"] == "ValueError", f"what no text can hold: {failure}"
    assert failure["exc_message"] == ["argument 'a' can't be read: half of a surrogate pair at byte 1"], failure
    failure = bundle.failure("arguments.collects", "1")
    assert failure["exc_message"] == ["argument 'a': 'str' object cannot be interpreted as an integer"], failure


def check(runner, path):
    with loaded(runner, path) as bundle:
        parameters = {task["name"]: task["parameters"] for task in bundle.manifest["tasks"]}
        assert [one["name"] for one in parameters["arguments.collects"]] == ["a", "b", "*rest", "**named"], parameters
        check_calls(bundle)
        check_values(bundle)
