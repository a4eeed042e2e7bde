"""Canvases of many members and large results, with default settings; and what is refused ends for its caller."""
import celery
import pytest
from lab.wait import until


@pytest.fixture
def tasks(road, queue):
    return lambda name, *args: road.app.signature(name, args, queue=queue)


def test_results_of_several_mebibytes_pass_through_a_chain(road, start_worker, queue, tasks):
    start_worker(road, queue)
    assert (tasks("journey.fill", 5_000_000) | tasks("journey.weigh"))().get(timeout=60) == 5_000_002


def test_a_chord_gets_results_of_several_mebibytes(road, start_worker, queue, tasks):
    start_worker(road, queue)
    header = [tasks("journey.fill", 1_500_000) for _ in range(4)]
    assert celery.chord(header, tasks("journey.weigh"))().get(timeout=90) == 4 * 1_500_003 + 1


def test_a_chain_carries_a_large_group_to_its_place(road, start_worker, queue, tasks):
    start_worker(road, queue)
    text = "y" * 10_000
    members = celery.group(road.app.signature("journey.echo", (text,), queue=queue, immutable=True)
                           for _ in range(120))
    result = celery.chain(tasks("journey.echo", "first"), members, tasks("journey.weigh"))()
    assert result.get(timeout=180) == 120 * 10_003 + 1


def test_a_message_that_is_refused_fails_for_its_caller(road, start_worker, queue, tasks, tmp_path):
    config = tmp_path / "small.toml"
    config.write_text("[limits]\nmax_body_bytes = 4096\n")
    start_worker(road, queue, options=["--config", str(config)])
    pickled = road.app.send_task("journey.echo", ("a",), queue=queue, serializer="pickle")
    with pytest.raises(Exception, match="pickle"):
        pickled.get(timeout=30)
    large = road.app.send_task("journey.echo", ("z" * 5_000,), queue=queue)
    with pytest.raises(Exception, match="max_body_bytes"):
        large.get(timeout=30)
    body = celery.chord([tasks("journey.echo", "a"), tasks("journey.echo", "z" * 5_000)], tasks("journey.weigh"))()
    with pytest.raises(Exception, match="max_body_bytes"):
        body.get(timeout=30)
    # The client hears of the member first.
    until("the body to fail", lambda: body.state == "FAILURE")


def test_a_retry_may_go_to_another_queue_and_priority(road, start_worker, queues, queue):
    other = queues.new()
    start_worker(road, f"{queue},{other}")
    result = road.app.send_task("journey.move_on", (other, 3), queue=queue)
    assert result.get(timeout=30) == other
