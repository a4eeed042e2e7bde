"""Which message is served first: message priorities and the order of queues."""
from lab.wait import until


def starts_before(lines, word):
    return [line for line in lines if "done" not in line].index(word)


def test_a_priority_9_message_after_a_thousand_of_0_runs_within_the_next_starts(redis_transport, start_worker, queues,
                                                                                note, gate):
    queue = queues.new(max_priority=9)
    redis_transport.app.conf.task_queue_max_priority = 9  # else the client itself declares it without
    for number in range(1000):
        redis_transport.send("journey.gate", str(note), f"low {number}", gate.path, queue=queue, priority=0)
    start_worker(redis_transport, queue, slots=2)
    until("both slots to be busy", lambda: len(note.lines) == 2)
    high = redis_transport.send("journey.mark", str(note), "high", queue=queue, priority=9)
    assert queues.ready(queue) is not None  # a round trip: the message is in the queue now
    gate.open()
    assert high.get(timeout=20) == "high"
    position = starts_before(note.lines, "high")
    print(f"the priority-9 task was start number {position + 1}, after 2 that were running")
    assert position <= 2 + 2 * 4, f"it was start number {position + 1}"


def test_an_earlier_queue_is_served_first(redis_transport, start_worker, queues, note, gate):
    urgent, normal = queues.new("urgent"), queues.new("normal")
    for number in range(50):
        redis_transport.send("journey.gate", str(note), f"normal {number}", gate.path, queue=normal)
    start_worker(redis_transport, f"{urgent},{normal}", slots=1)
    until("the slot to be busy", lambda: len(note.lines) == 1)
    sent = [redis_transport.send("journey.mark", str(note), f"urgent {number}", queue=urgent) for number in range(5)]
    assert queues.ready(urgent) is not None
    gate.open()
    for one in sent:
        one.get(timeout=20)
    last = max(starts_before(note.lines, f"urgent {number}") for number in range(5))
    assert last <= 5 + 4, f"the last urgent task was start number {last + 1}: {note.lines[:20]}"


def test_shares_keep_both_queues_moving(redis_transport, start_worker, queues, note, gate):
    left, right = queues.new("left"), queues.new("right")
    sent = []
    for number in range(60):
        for name, queue in (("left", left), ("right", right)):
            sent.append(redis_transport.send("journey.mark", str(note), f"{name} {number}", 0.02, queue=queue))
    start_worker(redis_transport, f"{left}:3,{right}:1", slots=1)
    for one in sent:
        one.get(timeout=20)
    first = [line.split()[0] for line in note.lines][:40]
    print(f"of the first 40 starts {first.count('left')} were from the queue with share 3")
    assert 22 <= first.count("left") <= 38
