"""What newcomers type wrong, and that each answer names the fix. Few need a broker, none a worker."""
import concurrent.futures
import os
import subprocess

import pytest
from conftest import example
from lab import command, settings

BROKER = "sqlite://{folder}/messages.db"
# What is typed ({folder}: the test's own), and words of the answer that mend it.
MISTAKES = [
    # Celery's words
    ("worker -P gevent", ["-P is an option of Celery's", "leave it out", "--concurrency"]),
    ("worker --pool=solo", ["leave it out"]),
    ("worker --detach", ["systemd", "nohup"]),
    ("worker -D", ["systemd"]),
    ("worker --purge", ["taskhost purge QUEUE"]),
    ("flower", ["celery -b BROKER flower", "taskhost top"]),
    ("multi start w1", ["one service for each worker"]),
    ("shell", ["taskhost call", "taskhost inspect"]),
    ("celery worker", ["taskhost worker", "-A APP"]),
    ("beat -S redbeat.RedBeatScheduler", ["leave it out"]),
    ("call tasks.add --args [4,6", ["is no JSON", "--args '[4, \"text\"]'"]),
    ("-A nowhere worker --python {folder}/nowhere", ["{folder}/nowhere"]),
    # Words of other programs
    ("start", ["taskhost worker"]),
    ("stop", ["taskhost control shutdown"]),
    ("build", ["taskhost dev"]),
    ("send tasks.add 4 6", ["taskhost call TASK ARGUMENTS"]),
    ("init demo", ["taskhost new NAME"]),
    ("ps", ["taskhost status"]),
    ("version", ["taskhost --version"]),
    ("logs", ["--logfile", "journalctl"]),
    ("cancel 1", ["taskhost revoke"]),
    # Misspelt
    ("wroker", ["taskhost worker"]),
    ("bundels", ["taskhost bundles"]),
    ("worker --concurency 4", ["--concurrency"]),
    ("worker -q urgent", ["-Q, --queues NAMES"]),
    ("worker --queue urgent", ["--queues"]),
    ("doctor --jsn", ["--json"]),
    ("dead list celery", ["taskhost dead ls"]),
    ("beat nxt", ["taskhost beat next"]),
    ("inspect actve --timeout 0.1 -b {broker}", ["`active`"]),
    ("call tasks.add 4 6 --delay 5", ["--countdown SECONDS"]),
    ("call tasks.add 4 6 --timeout 5", ["--wait=SECONDS"]),
    ("worker -v", ["--version", "--loglevel debug"]),
    # Values
    ("worker --concurrency many", ["an integer from 1 to 4096"]),
    ("worker -l verbose", ['"debug" or "info"']),
    ("worker --max-tasks-per-child 0", ["at least 1"]),
    ("call tasks.add 4 --kw y", ["--kw NAME=VALUE"]),
    ('call tasks.add --kwargs {"y":1', ["--kwargs '{\"name\": value}'"]),
    ("call tasks.add [1,2 -b {broker}", ["is no JSON", "single quotes"]),
    ("call tasks.add 4 6 --countdown soon", ["seconds"]),
    ("call tasks.add 4 6 --eta tomorrow", ["ISO 8601"]),
    ("call tasks.add 4 6 --wait=0.1 -b {broker}", ["no worker replies", "taskhost result"]),
    # Addresses
    ("status -b localhost:6379", ["redis(s)://HOST:PORT/DB"]),
    ("status -b redis:/localhost", ["redis(s)://[user:password@]host"]),
    ("status -b memory://", ["sqlite:///PATH"]),
    ("status -b redis://127.0.0.1:1", ["--broker", "embedded"]),
    ("status --result-backend elasticsearch://x", ["no result store", "or none"]),
    # Settings
    ("worker --config {folder}/spelt.toml", ["spelt.toml:2:1", "`concurrency`"]),
    ("worker --config {folder}/nothing.toml", ["No such file", "--config"]),
    # Bundles
    ("bundles {folder}/noentry.so", ["TASKHOST_BUNDLE(name, version)"]),
    ("bundles {folder}/mangled.so", ['extern "C"', "<taskhost.h>"]),
    ("bundles {folder}/noentry.c", ["no ELF file", "cc -shared -fPIC"]),
    ("bundles {folder}/nothing.so", ["no such file"]),
    ("worker --plugins {folder}/nowhere -b {broker}", ["mkdir -p"]),
    ("worker --plugins {folder}/empty -b {broker}", ["no bundles found", "--plugins", "cc -shared"]),
    ("worker --plugins {bundle} -b {broker}", ["is not a folder", "--plugins"]),
    # From nothing
    ("new my-demo", ["taskhost new my_demo"]),
    ("new 1demo", ["taskhost new demo"]),
    ("new self", ["taskhost new my_self"]),
    ("new demo --lang java", ["c, cpp, swift, rust, python"]),
    ("new demo --language c", ["--lang"]),
    ("new empty", ["is there already", "another name"]),
    ("dev", ["taskhost new demo && cd demo", "-A"]),
    ("run {bundle} tasks.ad 4 6", ["tasks.add"]),
    ("run {bundle} add 4 6", ["tasks.add"]),
    ("run {folder}/empty tasks.add", ["is a folder", "taskhost bundles"]),
    ("run {folder}/nothing.so tasks.add", ["build it first"]),
    ("run {bundle} tasks.add 4 6 --times 3", ["--repeat NUMBER"]),
    ("run {folder}/tasks.py tasks.add 4 6", ["takes bundles", "taskhost -A tasks worker", "TASK.apply"]),
    ("-A proj run tasks.add 4 6", ["takes bundles", "taskhost -A APP worker", "TASK.apply"]),
    ("run -A proj tasks.add 4 6", ["takes bundles", "taskhost -A APP worker", "TASK.apply"]),
    ("result nosuch -b {broker} --result-backend {broker}", ["PENDING", "was never sent"]),
    ("bundles {bundle} --stubs java", ["python", "swift", "typescript"]),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What is typed -> the answer; a few at a time, as each waits for nothing but itself."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "empty").mkdir(mode=0o755)
    (folder / "spelt.toml").write_text("[worker]\nconcurency = 4\n")
    (folder / "noentry.c").write_text("int nothing(void) { return 1; }\n")
    (folder / "mangled.cpp").write_text("struct taskhost_host;\nint taskhost_bundle_v1(const taskhost_host *) { return 0; }\n")
    for compiler, source, bundle in ("cc", "noentry.c", "noentry.so"), ("c++", "mangled.cpp", "mangled.so"):
        subprocess.run([compiler, "-shared", "-fPIC", "-o", bundle, source], cwd=folder, check=True, timeout=60)
    names = {"folder": str(folder), "broker": BROKER.format(folder=folder), "bundle": example("arithmetic")}

    def filled(text):
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def typed(text):
        return text, command.run(folder, *filled(text).split(" "), environment={"NO_COLOR": "1"})

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(pool.map(typed, [text for text, _ in MISTAKES])), filled


@pytest.mark.parametrize("text, words", MISTAKES, ids=[text for text, _ in MISTAKES])
def test_the_answer_names_the_fix(answers, text, words):
    done, filled = answers
    answer = done[text]
    said = answer.out + answer.err
    assert all(filled(word) in said for word in words), f"{answer!r}\nwanted: {words}"
    assert len(said) < 3000, "an answer, not a page"


@pytest.mark.parametrize("language, program, package", [
    ("c", "cc", "apt install gcc"), ("cpp", "c++", "apt install g++"), ("rust", "cargo", "apt install cargo"),
    ("swift", "swiftc", "Swift 6.3"), ("python", "python3", "apt install python3")])
def test_a_missing_compiler_is_named_with_its_package(taskhost, tmp_path, language, program, package):
    done = taskhost("new", "demo", "--lang", language, environment={"PATH": str(tmp_path)}).expect(78)
    assert program in done.err and package in done.err
    assert not os.path.exists(tmp_path / "demo")


def test_a_bundle_without_its_macro_is_told_by_the_linker(tmp_path):
    (tmp_path / "tasks.c").write_text(
        "#include <taskhost.h>\nstatic double half(double x) { return x / 2; }\nTASK_DEF(half, f64, (f64, x));\n")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-I", settings.dist("include"), "-o", "tasks.so", "tasks.c"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "write_TASKHOST_BUNDLE_in_one_file_of_this_bundle" in done.stderr


def test_a_handler_in_swift_without_arg_is_refused_with_what_to_write(tmp_path):
    (tmp_path / "tasks.swift").write_text("""import TaskhostSDK
        struct Add: TaskHandler {
            static let options = TaskOptions { $0.name = "tasks.add" }
            WORD var x: Int
            func run(_ task: TaskContext) -> Int { x }
        }""")

    def said(word):
        text = (tmp_path / "tasks.swift").read_text()
        (tmp_path / "one.swift").write_text(text.replace("WORD", word))
        return subprocess.run(["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-I", settings.dist("lib/taskhost"),
                               "-I", settings.dist("include"), "one.swift"], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    refused = said("")
    assert refused.returncode != 0 and "write @Arg before each parameter of the task (@Arg var x: Int)" in refused.stderr
    assert said("@Arg").returncode == 0


def test_a_cargo_without_a_toolchain_is_told_before_anything_is_made(taskhost, tmp_path):
    for name, script in ("cargo", "echo 'error: rustup could not choose a version of cargo to run' >&2; exit 1"), ("rustc", ":"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    said = taskhost("new", "demo", "--lang", "rust", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"}).expect(78).err
    assert "could not choose a version of cargo" in said and "rustup default stable" in said
    assert not (tmp_path / "demo").exists()
