"""Arguments and results of typed tasks."""

import math
import unittest
import uuid

from bundles import RUNNER, example, types
from runner_driver import *


class Binding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.zygote = Zygote(RUNNER, types())
        cls.zygote.load()
        cls.lane = cls.zygote.lane()

    @classmethod
    def tearDownClass(cls):
        cls.lane.close()
        cls.zygote.close()

    def value(self, name, *args, **kwargs):
        frame = self.lane.run("types." + name, *args, **kwargs)
        self.assertEqual(frame.code, SUCCESS, frame)
        return frame.value

    def text(self, name, body):
        self.lane.send_task("types." + name, body=body)
        return self.lane.result().text

    def error(self, name, *args, **kwargs):
        frame = self.lane.run("types." + name, *args, **kwargs)
        self.assertEqual(frame.code, FAILURE, frame)
        self.assertEqual(frame.value["exc_module"], "builtins")
        return frame.value["exc_type"], frame.value["exc_message"][0]

    def test_every_integer_type_takes_its_extremes_and_nothing_beyond(self):
        for bits in (8, 16, 32, 64):
            for name, low, high in (f"i{bits}", -2 ** (bits - 1), 2 ** (bits - 1) - 1), (f"u{bits}", 0, 2**bits - 1):
                self.assertEqual(self.value("echo_" + name, low), low)
                self.assertEqual(self.value("echo_" + name, high), high)
                for beyond in low - 1, high + 1, 10**30:
                    self.assertEqual(self.error("echo_" + name, beyond)[0], "OverflowError")

    def test_integers_are_not_made_of_floats_or_texts(self):
        for wrong, name in (1.0, "float"), ("1", "str"), (None, "NoneType"), ([], "list"), ({}, "dict"):
            self.assertEqual(self.error("echo_i64", wrong),
                             ("TypeError", f"'{name}' object cannot be interpreted as an integer"))
        self.assertEqual(self.value("echo_i64", True), 1)

    def test_floats_keep_their_value_and_stay_floats(self):
        for number in (10, 0.1, -0.0, 1e16, 1e22, 1e300, 5e-324, 2**53 + 2.0, 1 / 3, 123456789.123456789,
                       1.7976931348623157e308, 0.000123, 10**25):
            frame = self.lane.run("types.echo_f64", number)
            self.assertIsInstance(frame.value, float)
            self.assertEqual(frame.value, float(number))
        self.assertEqual(self.text("echo_f64", "[[10],{},{}]"), "10.0")
        self.assertEqual(self.text("echo_f64", "[[-0.0],{},{}]"), "-0.0")
        self.assertEqual(self.text("echo_f64", "[[0.1],{},{}]"), "0.1")
        self.assertEqual(self.text("echo_f32", "[[0.1],{},{}]"), "0.1")

    def test_what_is_not_finite_is_written_as_python_writes_it(self):
        self.assertEqual(self.text("echo_f64", "[[Infinity],{},{}]"), "Infinity")
        self.assertEqual(self.text("echo_f64", "[[-Infinity],{},{}]"), "-Infinity")
        self.assertEqual(self.text("echo_f64", "[[NaN],{},{}]"), "NaN")
        self.assertEqual(self.error("echo_f64", "1"), ("TypeError", "must be real number, not str"))
        self.assertEqual(self.error("echo_f64", 10**400), ("OverflowError", "int too large to convert to float"))

    def test_texts_keep_every_character_but_nul(self):
        for text in "", "plain", "quote \" slash / back \\ tab \t", "äöü €", "\U0001f600", "\x01\x1f\x7f":
            self.assertEqual(self.value("echo_str", text), text)
        self.assertEqual(self.text("echo_str", b'[["\xc3\xa9"],{},{}]'), "\"é\"")
        self.assertEqual(self.error("echo_str", "a\0b"), ("ValueError", "embedded null character"))
        self.assertEqual(self.error("echo_str", "\ud800")[0], "ValueError")
        self.assertEqual(self.error("echo_str", 1), ("TypeError", "echo_str() argument 'x' must be str, not int"))
        self.assertEqual(self.error("echo_str", None)[0], "TypeError")

    def test_long_texts_keep_what_is_not_plain_wherever_it_stands(self):
        for place in range(66):
            for odd in "\"", "\\", "é":
                text = "x" * place + odd + "x" * (66 - place)
                self.assertEqual(self.value("echo_str", text), text)
            raw = b'[["' + b"x" * place + "é€".encode() + b"x" * (66 - place) + b'"],{},{}]'
            self.assertEqual(len(self.text("echo_str", raw)), 2 + 66 + 2)

    def test_null_is_no_text_unless_the_default_is_null(self):
        self.assertIs(self.value("is_null"), True)
        self.assertIs(self.value("is_null", None), True)
        self.assertIs(self.value("is_null", "x"), False)

    def test_bytes_travel_as_celery_writes_them(self):
        typed = lambda type, value: {"__type__": type, "__value__": value}
        self.assertEqual(self.value("echo_bytes", typed("bytes", "a\0é")), typed("base64", "YQDDqQ=="))
        for text in "", "AA==", "AAE=", "AAEC", "/+8=":
            self.assertEqual(self.value("echo_bytes", typed("base64", text)), typed("base64", text))
            self.assertEqual(self.value("echo_bytes", text), typed("base64", text))
        self.assertEqual(self.error("echo_bytes", "A")[0], "ValueError")
        for wrong in 1, None, [1], typed("uuid", "x"), {"__type__": "bytes"}:
            self.assertEqual(self.error("echo_bytes", wrong)[0], "TypeError")

    def test_booleans_are_true_and_false_only(self):
        self.assertIs(self.value("echo_bool", True), True)
        self.assertIs(self.value("echo_bool", False), False)
        self.assertEqual(self.error("echo_bool", 1), ("TypeError", "echo_bool() argument 'x' must be bool, not int"))

    def test_json_is_passed_through_as_it_is(self):
        self.assertEqual(self.text("echo_json", '[[ {"a": [1, 2.0, NaN, 123456789012345678901234567890]} ],{},{}]'),
                         '{"a": [1, 2.0, NaN, 123456789012345678901234567890]}')

    def test_owned_results_are_taken_over(self):
        self.assertEqual(self.value("owned", "x" * 100000), "x" * 100000)
        self.assertEqual(self.value("owned_json", "[1]"), [1])
        self.assertEqual(self.error("owned_json", "[1"), ("ValueError", "the task's result is no JSON"))

    def test_defaults_are_used_by_position_and_by_keyword(self):
        self.assertEqual(self.value("defaults", 1), 1 + 0.5 + 3 + 1 + 21)
        self.assertEqual(self.value("defaults", 1, 2, b=False), 1 + 2 + 3 + 0 + 21)
        self.assertEqual(self.value("defaults", x=1, j=[], s=""), 1 + 0.5 + 0 + 1 + 2)
        self.assertEqual(self.value("sixteen", *range(16)), sum(range(16)))
        self.assertEqual(self.value("half", 5), 2.5)

    def test_wrong_calls_are_told_in_pythons_words(self):
        def add(x, y): ...
        def three(x, y, z): ...
        def defaults(x, y=0, s="", b=True, j=None): ...
        def one(): ...
        one.__name__ = one.__qualname__ = "plain-name"
        cases = [(three, [], {}), (three, [1], {}), (three, [1, 2], {}), (three, [1, 2, 3, 4], {}),
                 (three, [1, 2], {"q": 1}), (three, [1, 2, 3], {"x": 1}), (three, [], {"y": 1}),
                 (defaults, [], {}), (defaults, [1] * 6, {}), (defaults, [1] * 7, {"y": 1}), (one, [1], {}),
                 (one, [1, 2], {}), (three, [1, 2, 3, 4], {"q": 1})]
        for function, args, kwargs in cases:
            function.__qualname__ = function.__name__
            with self.assertRaises(TypeError) as python:
                function(*args, **kwargs)
            name = "plain-name" if function is one else "types." + function.__name__
            frame = self.lane.run(name, *args, **kwargs)
            self.assertEqual((frame.value["exc_type"], frame.value["exc_message"]), ("TypeError",
                             [str(python.exception)]))

    def test_a_body_that_is_no_call_is_an_error_and_no_crash(self):
        for body in "", "[", "{}", "[[1]", "[[],[],{}]", "[1,{},{}]", "[" * 10000:
            self.lane.send_task("types.half", body=body)
            frame = self.lane.result()
            self.assertEqual((frame.code, frame.value["exc_module"]), (FAILURE, "builtins"), body[:20])

    def test_escaped_keyword_names_are_understood(self):
        self.assertEqual(self.text("half", '[[],{"\\u0078":3},{}]'), "1.5")

    def test_the_manifest_says_what_was_declared(self):
        tasks = {task["name"]: task for task in self.zygote.manifest["tasks"]}
        self.assertEqual(tasks["plain-name"]["options"], {
            "soft_limit": 1.5, "hard_limit": 3.0, "max_retries": 0, "retry_delay": 2.0, "retry_backoff": 1.0,
            "retry_backoff_max": 60.0, "retry_jitter": False, "autoretry": True, "acks_late": False,
            "track_started": True, "ignore_result": False, "max_starts": 5, "autoretry_for": "OSError, app.Busy",
            "dont_autoretry_for": "ValueError", "keep": 7, "queue": "q",
            "acks_on_failure": False, "acks_on_timeout": True, "reject_on_worker_lost": False,
            "rate_limit": "10/s", "doc": 'A "doc".', "memory_limit": 64, "max_concurrent": 3,
            "limit_scope": "global", "store_errors_even_if_ignored": True})
        self.assertEqual(tasks["types.three"]["options"], {"max_retries": "unlimited", "limit_key": "z:domain"})
        self.assertEqual(tasks["types.defaults"]["parameters"], [
            {"name": "x", "type": "f64"}, {"name": "y", "type": "f64", "default": 0.5},
            {"name": "s", "type": "str", "default": "a,b"}, {"name": "b", "type": "bool", "default": True},
            {"name": "j", "type": "json", "default": {"a": [1, 2], "b": 3}}])
        self.assertEqual(tasks["types.describe"]["parameters"], [
            {"name": "path", "type": "[String: Int]"}, {"name": "width", "type": "Int", "default": 800}])
        self.assertEqual((tasks["types.describe"]["kind"], tasks["types.describe"]["result"]), ("context", "Report"))
        self.assertEqual((tasks["types.ignore"]["kind"], tasks["types.ignore"]["parameters"]), ("typed", []))
        self.assertIsNone(tasks["types.quiet"]["result"])
        self.assertEqual([task["index"] for task in self.zygote.manifest["tasks"]], list(range(len(tasks))))


class Context(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.zygote = Zygote(RUNNER, types())
        cls.zygote.load()
        cls.lane = cls.zygote.lane()

    @classmethod
    def tearDownClass(cls):
        cls.lane.close()
        cls.zygote.close()

    def test_a_task_learns_everything_about_its_message(self):
        self.lane.send_task("types.describe", [1], {"a": "b"}, id="i", root="r", parent="p", group="g", queue="q",
                            headers='{"h":1}', soft=30, hard=60, flags=REDELIVERED, retries=2, starts=4,
                            max_retries=-1)
        self.assertEqual(self.lane.result().value, {
            "texts": ["i", "types.describe", "r", "p", "g", "q"], "numbers": [2, 4, -1, 30, 60, 60, 0, 1],
            "headers": {"h": 1}, "body": [[1], {"a": "b"}, {}]})
        value = self.lane.run("types.describe").value
        self.assertEqual((value["texts"][2:5], value["numbers"][5]), ([None] * 3, 1e9))

    def test_states_and_logs_come_before_the_first_verdict_and_later_verdicts_are_dropped(self):
        self.lane.send_task("types.chatty")
        frames = [self.lane.frame() for _ in range(5)]
        self.assertEqual((frames[0].type, frames[0].code, frames[0].text), (FRAME_LOG, 2, "one 1"))
        self.assertEqual(frames[1].value, {"state": "PROGRESS", "meta": {"done": 1, "total": 2, "current": 1, "percent": 50}})
        self.assertEqual(frames[2].value, {"state": "UPLOADING", "meta": {"part": 3}})
        self.assertEqual(frames[3].type, FRAME_LOG)
        self.assertEqual((frames[4].code, frames[4].text), (SUCCESS, "[1, 2]"))

    def test_each_verdict_is_what_the_protocol_says(self):
        run = lambda *args, **kwargs: self.lane.run(*args, **kwargs)
        self.assertEqual(run("types.retry").value, {"countdown": None, "exc": None})
        frame = run("types.retry", 2.5, "later")
        self.assertEqual((frame.code, frame.value["countdown"], frame.value["exc"]["exc_message"]),
                         (RETRY, 2.5, ["later"]))
        self.assertEqual(run("types.retry_bound", 5).value["max_retries"], 5)
        self.assertIsNone(run("types.retry_bound", -1).value["max_retries"])
        frame = run("types.reject", "no", requeue=True)
        self.assertEqual((frame.code, frame.value), (REJECT, {"reason": "no", "requeue": True}))
        self.assertEqual((run("types.ignore").code, run("types.ignore").value), (IGNORE, None))
        self.assertEqual((run("types.ignore_as").code, run("types.ignore_as").value),
                         (IGNORE, {"state": "FAILURE", "meta": {"a": 1}}))
        self.assertEqual((run("types.quiet").code, run("types.quiet").value), (SUCCESS, None))
        self.assertEqual(run("types.fail_bytes").value["exc_message"], ["no \ufffd utf-8 \"quoted\"\n"])

    def test_a_task_sends_others_before_its_result_and_each_has_an_id_of_its_own(self):
        signature = {"task": "x.y", "args": [1], "options": {}}
        self.lane.send_task("types.send", [signature])
        sent, added, result = (self.lane.frame() for _ in range(3))
        self.assertEqual((sent.type, sent.code, added.type, added.code), (FRAME_SEND, 0, FRAME_SEND, 1))
        self.assertEqual((sent.value["signature"], added.value["signature"]), (signature, signature))
        ids = [sent.value["id"], added.value["id"]]
        self.assertEqual(result.value, ids)
        self.assertEqual([uuid.UUID(id).version for id in ids], [8, 8])
        self.assertNotEqual(*ids)

    def test_what_a_second_start_sends_has_the_ids_it_had_before_and_what_a_retry_sends_has_others(self):
        def ids(**how):
            self.lane.send_task("types.send", [{"task": "x.y"}], **how)
            return [self.lane.frame() for _ in range(3)][2].value

        first = ids()
        self.assertEqual(ids(starts=2), first)
        for other in ids(retries=1), ids(id="another"):
            self.assertFalse(set(other) & set(first))

    def test_what_is_no_signature_is_not_sent(self):
        self.lane.send_task("types.send", [[1]])
        self.assertEqual(self.lane.frame().value, [None, None])

    def test_a_task_is_replaced_by_a_signature_only(self):
        frame = self.lane.run("types.replace", {"task": "x.y"})
        self.assertEqual((frame.code, frame.value), (REPLACE, {"task": "x.y"}))
        frame = self.lane.run("types.replace", 7)
        self.assertEqual((frame.code, frame.value["exc_type"]), (FAILURE, "ValueError"))

    def test_a_retry_may_change_what_it_is_called_with(self):
        frame = self.lane.run("types.retry_with", [2], {"b": 3})
        self.assertEqual((frame.code, frame.value), (RETRY, {
            "countdown": 0.5, "max_retries": 4, "expires": 60.0, "args": [2], "kwargs": {"b": 3}, "queue": "slow",
            "priority": 7, "exc": {"exc_type": "KeyError", "exc_module": "builtins", "exc_message": ["k"],
                                  "traceback": "KeyError\n"}}))

    def test_a_failure_says_where_it_was_declared(self):
        frame = self.lane.run("types.fail_here")
        self.assertRegex(frame.value["traceback"], r'\ATraceback \(most recent call last\):\n  File "[^"]*types\.c", line \d+, '
                                                   r"in fail_here\nValueError: no\n\Z")

    def test_a_failure_without_a_place_has_a_line_of_its_own(self):
        frame = self.lane.run("types.retry", 1.0, "why")
        self.assertEqual(frame.value["exc"]["traceback"], "TaskError: why\n")

    def test_how_a_task_ends_is_no_state_of_its_own(self):
        self.lane.send_task("types.states")
        frames = [self.lane.frame() for _ in range(5)]
        self.assertTrue(all("is how a task ends" in frame.text for frame in frames[:4]), frames)
        self.assertEqual(frames[4].value["state"], "SUCCESSFUL")
        self.lane.result()

    def test_a_task_reads_its_message_s_properties(self):
        self.lane.send_task("types.properties", properties='{"priority": 5}')
        self.assertEqual(self.lane.result().value, {"priority": 5})

    def test_large_frames_pass_both_ways(self):
        self.assertEqual(len(self.lane.run("types.large", 20 << 20).value), 20 << 20)
        text = "y" * (20 << 20)
        import threading
        sender = threading.Thread(target=self.lane.send_task, args=("types.owned", [text]))
        sender.start()
        self.assertEqual(self.lane.result().value, text)
        sender.join()
        self.assertEqual(self.lane.run("types.half", 3).value, 1.5)

    def test_a_result_beyond_the_frame_limit_is_a_failure(self):
        frame = self.lane.run("types.large", 64 << 20, timeout=30)
        self.assertEqual((frame.code, frame.value["exc_type"]), (FAILURE, "ValueError"))

    def test_frames_in_one_byte_pieces_and_many_in_one_piece_are_the_same(self):
        body = Lane.request(self.zygote.index("types.half"), "[[4],{},{}]", 0, 0, 0, ["i", "", "", "", "q", "{}", "{}"],
                            0, 1, 3)
        frame = lambda sequence: HEADER.pack(len(body), FRAME_TASK, 0, sequence) + body
        for byte in frame(self.zygote.next_sequence()):
            self.lane.data.sendall(bytes([byte]))
        self.assertEqual(self.lane.result().value, 2.0)
        sequences = [self.zygote.next_sequence() for _ in range(500)]
        self.lane.data.sendall(b"".join(map(frame, sequences)))
        self.assertEqual([self.lane.result().sequence for _ in sequences], sequences)

    def test_an_unknown_task_number_is_a_failure(self):
        self.lane.send_task("", index=9999)
        self.assertEqual(self.lane.result().value["exc_type"], "NotRegistered")


if __name__ == "__main__":
    unittest.main()
