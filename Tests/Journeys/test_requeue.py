"""A task that puts itself back into its queue again and again: it is slowed down, others are not, and the log says how to
mend it. On RabbitMQ, Redis and PostgreSQL by Celery's client, on the file by the command line."""
import pytest
from conftest import example
from lab import bundles
from lab.wait import until

SOURCE = """#include <stdio.h>
#include <taskhost.h>
static void again(task_context *task, const char *path) {
    FILE *note = fopen(path, "a");
    if (note != NULL) { fputs("run\\n", note); fclose(note); }
    task_reject(task, "not yet", true);
}
TASK_DEF_CTX(again, void, (str, path));
TASKHOST_BUNDLE("spin", "1.0");
"""


@pytest.fixture
def spin(tmp_path):
    source = tmp_path / "spin.c"
    source.write_text(SOURCE)
    return bundles.build_c(str(source), str(tmp_path))


def is_slowed_down(worker, note, others):
    told = worker.wait_for_log("puts itself back into its queue again and again")
    assert "fix: let it retry with a countdown" in told
    others()
    # At full speed there would be hundreds by now; each has waited twice as long as the one before.
    until("it to go on", lambda: len(note.lines) > 6)
    assert len(note.lines) < 15
    assert len([line for line in worker.log() if "again and again" in line.get("message", "")]) == 1


def test_a_task_that_requeues_itself_is_slowed_down_and_others_are_not(road, start_worker, queues, spin, note):
    queue = queues.new()
    worker = start_worker(road, queue, plugins=[example("arithmetic"), spin], slots=1)
    road.send("spin.again", str(note), queue=queue)

    def others():
        sent = [road.send("tasks.add", number, 1, queue=queue) for number in range(30)]
        assert [one.get(timeout=30) for one in sent] == [number + 1 for number in range(30)]

    is_slowed_down(worker, note, others)
    assert worker.stop() == 0


def test_on_the_file_as_well(embedded, start_worker, spin, note):
    worker = start_worker(embedded, "q", plugins=[example("arithmetic"), spin], slots=1)
    embedded.call("spin.again", note, queue="q").expect(0)

    def others():
        for number in range(3):
            assert embedded.call("tasks.add", number, 1, queue="q", wait=20).expect(0).json["result"] == number + 1

    is_slowed_down(worker, note, others)
    assert worker.stop() == 0
