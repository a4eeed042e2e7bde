"""What python.so makes of an app while it is loaded: interpreters, refusals, threads and connections of imports."""
import os
import sys

import pytest

from lab import bundles, python

# More interpreters with Celery: TASKHOST_TEST_PYTHONS=/venv-3.9/bin/python:/venv-3.13/bin/python
PYTHONS = [sys.executable, *filter(None, os.environ.get("TASKHOST_TEST_PYTHONS", "").split(os.pathsep))]


@pytest.fixture
def app_of(tmp_path):
    """Writes an app of these lines; what a worker has to be told of it."""
    def write(lines, executable=sys.executable, **variables):
        (tmp_path / "theirs.py").write_text(lines)
        return {**python.environment("theirs", executable, workdir=str(tmp_path)), **variables}
    return write


@pytest.fixture
def refused(start_worker, redis_transport, queue, tmp_path):
    """The line of the log by which a worker refuses the app."""
    def start(environment):
        one = start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                           environment=environment, wait=False)
        one.wait()
        return next(line["message"] for line in one.log() if line.get("message", "").startswith("Bundle refused"))
    return start


@pytest.mark.parametrize("executable", PYTHONS)
def test_one_build_serves_every_python(executable, start_worker, redis_transport, queue, tmp_path, app_of):
    environment = app_of("""
import sys, celery
app = celery.Celery("theirs")
@app.task
def who(soft=False):
    if soft:
        import time
        time.sleep(20)
    return [list(sys.version_info[:2]), sys.prefix, sys.executable]
@app.task
async def later():
    return 1 / 0
who.soft_time_limit = 1
""", executable)
    start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                 environment=environment)
    send = redis_transport.app.send_task
    version, prefix, seen = send("theirs.who", queue=queue).get(timeout=20)
    asked = python.ask(executable, "import sys; print([list(sys.version_info[:2]), sys.prefix, sys.executable])")
    assert str([version, prefix, seen]) == asked
    late = send("theirs.later", queue=queue)
    with pytest.raises(ZeroDivisionError):
        late.get(timeout=20)
    assert "in later" in late.traceback.splitlines()[1]
    with pytest.raises(Exception, match="SoftTimeLimitExceeded"):
        send("theirs.who", [True], queue=queue).get(timeout=20)


def test_an_app_that_cannot_be_imported_is_refused_with_its_traceback(refused, app_of):
    said = refused(app_of("import celery\n\ndef open_all():\n    import no_such_module\n\nopen_all()\n"))
    assert "theirs cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in said
    assert 'theirs.py", line 4, in open_all' in said


def test_what_is_no_app_is_refused(refused, app_of):
    assert "theirs is no Celery app but a int: name it: -A theirs:APP" in refused(app_of("app = 5\n"))


def test_no_libpython_is_refused_with_the_fix(refused, app_of):
    said = refused(app_of("", TASKHOST_PYTHON_LIBRARY="/no/such/libpython3.so"))
    assert "cannot load Python: /no/such/libpython3.so" in said and "--enable-shared" in said


def test_threads_of_an_import_are_named_and_refused(refused, app_of):
    said = refused(app_of("""
import celery, threading
def refresh_for_ever():
    threading.Event().wait()
threading.Thread(target=refresh_for_ever, name="refresher", daemon=True).start()
app = celery.Celery("theirs")
"""))
    assert "'refresher' of theirs.refresh_for_ever" in said and "worker_process_init" in said


def test_threads_that_end_before_a_fork_are_no_reason(start_worker, redis_transport, queue, tmp_path, app_of):
    """As OpenBLAS does, which numpy brings."""
    library = bundles.build_library("""
#include <pthread.h>
#include <unistd.h>
static pthread_t worker; static int pipes[2];
static void *wait_for_work(void *p) { char c; (void)!read(pipes[0], &c, 1); return p; }
static void end_worker(void) { if (worker) { (void)!write(pipes[1], "", 1); pthread_join(worker, 0); worker = 0; } }
__attribute__((constructor)) static void start(void) {
    (void)!pipe(pipes); pthread_create(&worker, 0, wait_for_work, 0); pthread_atfork(end_worker, 0, 0);
}
""", tmp_path / "libthreads.so")
    start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path), environment=app_of(
        f"import celery, ctypes\nctypes.CDLL({str(library)!r})\napp = celery.Celery('theirs')\n"
        "@app.task\ndef one():\n    return 1\n"))
    assert redis_transport.app.send_task("theirs.one", queue=queue).get(timeout=20) == 1


def test_threads_of_libraries_that_start_again_in_children_are_stopped(
        start_worker, redis_transport, queue, tmp_path, app_of):
    """logging's QueueListener, OpenTelemetry's batches, OpenMP's pool; and what wraps Celery's tracers wraps ours."""
    written = tmp_path / "written"
    worker = start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                          environment=app_of(f"""
import celery, ctypes, logging, logging.handlers, queue
from celery.app import trace
from opentelemetry.trace import set_tracer_provider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

def write(word):
    with open({str(written)!r}, "a") as file:
        file.write(word + "\\n")

class Handler(logging.Handler):
    def emit(self, record):
        write("logged " + record.getMessage())

class Exporter(SpanExporter):
    def export(self, spans):
        for span in spans:
            write("span " + span.name)

records = queue.Queue()
logging.getLogger("own").addHandler(logging.handlers.QueueHandler(records))
listener = logging.handlers.QueueListener(records, Handler())
listener.start()
spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(Exporter()))
set_tracer_provider(spans)
openmp = ctypes.CDLL("libgomp.so.1")
nothing = ctypes.CDLL(None).free
openmp.GOMP_parallel(nothing, None, 3, 0)
build = trace.build_tracer

def instrumented(name, task, *args, **kwargs):
    tracer = build(name, task, *args, **kwargs)
    def run(uuid, args, kwargs, request=None):
        write(f"begins {{name}} {{request['retries']}}")
        result = tracer(uuid, args, kwargs, request)
        write("ends " + name)
        return result
    return run

trace.build_tracer = instrumented
app = celery.Celery("theirs")
@app.task
def one(x):
    openmp.GOMP_parallel(nothing, None, 3, 0)
    logging.getLogger("own").warning("x")
    with spans.get_tracer("own").start_as_current_span("y"):
        return x
"""))
    assert redis_transport.app.send_task("theirs.one", [1], queue=queue).get(timeout=20) == 1
    worker.stop()
    lines = written.read_text().splitlines()
    assert sorted(lines) == ["begins theirs.one 0", "ends theirs.one", "logged x", "span y"]


def test_a_connection_of_an_import_is_named(start_worker, redis_transport, queue, tmp_path, app_of):
    host, port = redis_transport.backend.split("/")[2].split(":")
    worker = start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                          environment=app_of(f"""
import celery, socket
kept = socket.create_connection(({host!r}, {port}))
app = celery.Celery("theirs")
@app.task
def one():
    return 1
"""))
    worker.wait_for_log(f"has opened a connection to {host}:{port}", "worker_process_init")
