"""Loading: the sentences of refusals, and what the host can know of a bundle that does worse."""

import struct
import subprocess
import unittest
from pathlib import Path

from bundles import FOLDER, RUNNER, bad, build, example
from runner_driver import *


class Loading(unittest.TestCase):
    def refusal(self, path, shown="/plugins/shown.so"):
        zygote = Zygote(RUNNER, path, shown)
        with self.assertRaises(ValueError) as refused:
            zygote.load()
        self.assertEqual(zygote.process.wait(10), 2)
        zygote.close()
        sentence = str(refused.exception)
        self.assertTrue(sentence.startswith(shown + " "), sentence)
        self.assertIn(": ", sentence[len(shown):], "the fix follows a colon")
        self.assertNotIn(str(FOLDER), sentence)
        return sentence

    def file(self, name, content):
        path = FOLDER / name
        path.write_bytes(content)
        return path

    def test_what_is_no_shared_library_is_refused(self):
        whole = example("arithmetic").read_bytes()
        self.assertIn("no ELF", self.refusal(self.file("text.so", b"hello")))
        self.assertIn("no ELF", self.refusal(self.file("empty.so", b"")))
        self.assertIn("truncated", self.refusal(self.file("header.so", whole[:40])))
        self.assertIn("truncated", self.refusal(self.file("half.so", whole[:len(whole) // 4])))
        other = bytearray(whole)
        other[18:20] = struct.pack("<H", 183)
        self.assertIn("is built for aarch64, this machine is x86-64", self.refusal(self.file("arm.so", bytes(other))))
        self.assertIn("cannot be read", self.refusal(FOLDER / "nothing-here.so"))
        self.assertIn("cannot be read", self.refusal(FOLDER))
        self.assertIn("", self.refusal("/bin/true"))

    def test_what_does_not_link_is_refused(self):
        self.assertRegex(self.refusal(bad("undefined", "UNDEFINED")), "undefined symbol: nobody_defines_this: link")
        subprocess.run(["cc", "-shared", "-o", FOLDER / "libgone.so", "-xc", "-"], input=b"int gone;", check=True)
        needs = bad("needs", flags=[f"-L{FOLDER}", "-Wl,--no-as-needed", "-lgone"])
        (FOLDER / "libgone.so").unlink()
        self.assertIn("needs libgone.so, which is not installed here", self.refusal(needs))
        self.assertIn("does not export taskhost_bundle_v1", self.refusal(bad("no_entry", "NO_ENTRY")))

    def test_a_bundle_says_itself_why_it_cannot_be_used(self):
        refuses = bad("refuses", 'RETURNS=(start_thread(), host->refuse("needs a licence: buy one"))')
        self.assertEqual(self.refusal(refuses), "/plugins/shown.so needs a licence: buy one")

    def test_a_newer_abi_is_refused_with_both_versions(self):
        sentence = self.refusal(bad("newer", "NEWER"))
        self.assertIn("ABI 1.7", sentence)
        self.assertIn("ABI 1.4", sentence)
        self.assertIn("install a newer taskhost", sentence)

    def test_a_bundle_of_the_first_abi_still_runs(self):
        zygote = Zygote(RUNNER, build("first_abi", "first_abi.c"))
        zygote.load()
        self.assertEqual((zygote.manifest["abi_minor"], zygote.manifest["tasks"][0]["options"]), (0, {"keep": 3}))
        lane = zygote.lane()
        self.assertEqual(lane.run("first.twice").value, [1, 0])
        lane.close()
        zygote.close()

    def test_wrong_registrations_are_refused(self):
        self.assertIn("declares the task 'bad.add' twice", self.refusal(bad("twice", "TWICE")))
        self.assertIn("returned 7", self.refusal(bad("seven", "RETURNS=7")))
        self.assertIn("must call describe", self.refusal(bad("silent", "RETURNS=0")))
        self.assertIn("before it describes itself", self.refusal(bad("undescribed", "UNDESCRIBED")))
        signatures = {
            "x:f65->f64": "'f65' is no parameter type", "x:f64": "no '->'", "x:f64=zwei->f64": "is no JSON",
            "x:f64='->f64": "is no JSON", "x->f64": "'name:type' is expected", "x:f64,x:f64->f64": "two parameters 'x'",
            "x:i8=300->f64": "out of range", "x:f64=1,y:f64->f64": "without a default", "x:void->f64": "no parameter",
            "x:f64->context": "no result type", "x:f64,t:context->f64": "not the first",
            'x:i64=1.5->f64': "cannot be interpreted", "*x:json->json": "only a handler can have '*x'",
        }
        handlers = {
            "*x:A,y:B->C": "'y' is out of order", "**x:A,*y:B->C": "'*y' is out of order",
            "*x:A,*y:B->C": "'*y' is out of order", "**x:A,**y:B->C": "'**y' is out of order",
            "***x:A->C": "'name:type' is expected", "x:A,*x:B->C": "two parameters 'x'",
            "*x:A=[]->C": "'*x' takes what is left over, it can have no default",
        }
        cases = [(False, *case) for case in signatures.items()] + [(True, *case) for case in handlers.items()]
        for number, (handles, signature, reason) in enumerate(cases):
            path = bad(f"signature{number}", 'SIGNATURE="' + signature.replace('"', '\\"') + '"',
                       *(["HANDLES"] if handles else []))
            self.assertIn(reason, self.refusal(path), signature)
        options = {
            ".soft_limit = -1": "soft_limit is -1", ".soft_limit = 2, .hard_limit = 1": "must be less than hard_limit",
            ".keep = -1": "keep must not be negative", ".rate_limit = \"fast\"": "10/s",
            ".acks_late = 7": "acks_late is 7", ".acks_on_timeout = 2": "acks_on_timeout is 2",
            ".limit_scope = \"all\"": "worker or global", ".limit_key = \"y\"": "limit_key is 'y'",
            ".limit_key = \"1\"": "limit_key is '1'", ".limit_key = \"x:host\"": "url:domain",
            ".max_concurrent = -1": "max_concurrent must not be negative",
            ".max_retries = -2": "max_retries must not", ".hard_limit = 1e999": "hard_limit is inf",
        }
        for number, (option, reason) in enumerate(options.items()):
            path = bad(f"option{number}", f"OPTIONS={option}", flags=["-Wno-overflow"])
            self.assertIn(reason, self.refusal(path), option)

    def test_a_wrong_schedule_is_refused(self):
        faults = {
            '.cron="* * * * *",.every=3': "says when in no way, or in two",
            ".every=0": "says when in no way", ".every=-1": "a wrong every",
            '.every=1,.args="{}"': "must be a JSON array",
            '.every=1,.kwargs="[1"': "must be a JSON object", '.every=1,.missed="some"': "must be skip, once or all",
            ".every=1,.priority=256": "must be 0 to 255", ".every=1,.expires=-1": "a wrong expires",
            '.cron="* * * * *",.relative=1': "is relative, which is about every",
            '.every=1,.task="gone"': "of the task 'gone', which it does not have: declare",
        }
        for number, (fields, reason) in enumerate(faults.items()):
            path = bad(f"schedule{number}", f"SCHEDULE={fields}", flags=["-Wno-override-init"])
            self.assertIn(reason, self.refusal(path), fields)

    def test_threads_and_processes_started_while_loading_are_refused(self):
        threads = self.refusal(bad("threads", "REGISTERING=start_thread()"))
        self.assertIn("starts threads while loading (1 beside the first)", threads)
        for name in "LOADING", "REGISTERING":
            forks = bad("forks" + name, f"{name}=start_process()")
            self.assertIn("starts processes while loading", self.refusal(forks))
        self.assertEqual(self.processes_of(FOLDER / "forks"), [])

    @staticmethod
    def processes_of(path):
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += [file] if str(path) in file.read_text(errors="replace") else []
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
        return found

    def test_a_crash_while_loading_shows_as_the_zygotes_death_after_loading(self):
        zygote = Zygote(RUNNER, bad("crashes", "LOADING=raise(SIGSEGV)"), "/plugins/crashes.so")
        self.assertEqual(zygote.expect(LOADING).text, "/plugins/crashes.so")
        self.assertFalse(zygote.receive(10))
        self.assertEqual(zygote.process.wait(10), -signal.SIGSEGV)
        zygote.close()

    def test_a_bundle_that_exits_while_loading_leaves_only_loading(self):
        zygote = Zygote(RUNNER, bad("exits", "LOADING=_exit(0)"))
        self.assertEqual(zygote.expect(LOADING).type, LOADING)
        self.assertFalse(zygote.receive(10))
        zygote.close()

    def test_people_are_told_what_the_runner_is_for(self):
        run = lambda *words: subprocess.run([RUNNER, *words], capture_output=True, text=True)
        self.assertRegex(run("--version").stdout, r"^taskhost-runner \d+\.\d+\.\d+ \(bundle ABI 1\.4\)\n$")
        self.assertIn("taskhost bundles FILE", run("--help").stdout)
        self.assertEqual((run("--help").returncode, run().returncode, run("what").returncode), (0, 64, 64))
        alone = subprocess.run([RUNNER, "zygote", "x.so"], capture_output=True, text=True, close_fds=True)
        self.assertEqual(alone.returncode, 71)
        self.assertIn("control socket as descriptor 3", alone.stderr)
