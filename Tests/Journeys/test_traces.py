"""W3C trace context and spans, with a stub collector; the client is instrumented by OpenTelemetry's own package."""
import os
import re
import signal

import pytest
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

from celery import chain
from lab.collector import Collector
from lab.wait import until
from test_metrics import figure, port_of


@pytest.fixture
def collector():
    one = Collector()
    yield one
    one.close()


@pytest.fixture
def tracer(request):
    """A client whose calls carry traces; sampled unless a test says otherwise."""
    provider = TracerProvider(sampler=getattr(request, "param", ALWAYS_ON))
    instrumentor = CeleryInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield provider.get_tracer("client")
    instrumentor.uninstrument()


def exporting(collector, **more):
    return {"TASKHOST_TRACES": collector.endpoint, "OTEL_SERVICE_NAME": "shop", **more}


def of(spans, task):
    return [span for span in spans if span["attributes"]["celery.task_name"] == task]


def step(transport, name, *args, queue, **options):
    return transport.app.signature(name, args=args, queue=queue, **options)


def test_a_chain_of_three_is_one_trace_each_run_below_the_one_before(transport, start_worker, queue, collector,
                                                                   tracer):
    start_worker(transport, queue, environment=exporting(collector))
    with tracer.start_as_current_span("order") as order:
        steps = [step(transport, "journey.trace", *args, queue=queue) for args in (["a:"], [], [])]
        sent = chain(*steps).apply_async()
    told = sent.get(timeout=20)
    until("three spans", lambda: len(collector.spans()) == 3)
    trace = format(order.get_span_context().trace_id, "032x")
    spans = sorted(collector.spans(), key=lambda span: int(span["startTimeUnixNano"]))
    assert {span["traceId"] for span in spans} == {trace}
    assert [span["parentSpanId"] for span in spans[1:]] == [span["spanId"] for span in spans[:2]]
    # The client's own span of the call is between its caller and the first run.
    assert spans[0]["parentSpanId"] not in {format(order.get_span_context().span_id, "016x"), ""}
    # What each task was told, by the runner and in its environment, is its run's span.
    parents = [f"00-{trace}-{span['spanId']}-{span['flags']:02x}" for span in spans]
    assert told == "a:" + "".join(f"{parent} {parent};" for parent in parents)
    first = spans[0]
    assert (first["name"], first["kind"]) == ("run/journey.trace", 5)
    system = "postgresql" if transport.broker.startswith("postgresql:") else "rabbitmq"
    assert first["attributes"]["messaging.system"] == system
    assert first["attributes"]["messaging.destination.name"] == queue
    assert first["attributes"]["celery.state"] == "SUCCESS"
    assert float(first["events"]["queue wait"]["taskhost.wait_seconds"]) >= 0
    assert int(first["endTimeUnixNano"]) >= int(first["startTimeUnixNano"])
    assert first["resource"]["service.name"] == "shop"


def test_a_run_whose_child_is_killed_has_its_span_too(redis_transport, start_worker, queue, collector, tracer, note,
                                                    gate):
    worker = start_worker(redis_transport, queue, environment=exporting(collector))
    steps = [("journey.mark", str(note), "first"), ("journey.gate", str(note), "gate", gate.path),
             ("journey.mark", str(note), "last")]
    with tracer.start_as_current_span("order"):
        sent = chain(*[step(redis_transport, *words, queue=queue, immutable=True) for words in steps]).apply_async()
    child = re.search(r"started in process (\d+)", worker.wait_for_log("journey.gate", "started in process"))
    until("the gate to be reached", lambda: note.lines == ["first", "gate"])
    os.kill(int(child[1]), signal.SIGKILL)
    until("it to start again", lambda: note.lines == ["first", "gate", "gate"])
    gate.open()
    assert sent.get(timeout=20) == "last"
    until("four spans", lambda: len(collector.spans()) == 4)
    spans = collector.spans()
    assert len({span["traceId"] for span in spans}) == 1
    first, last = of(spans, "journey.mark")
    died, lived = of(spans, "journey.gate")
    assert [died["attributes"]["celery.state"], lived["attributes"]["celery.state"]] == ["CRASHED", "SUCCESS"]
    assert died["parentSpanId"] == lived["parentSpanId"] == first["spanId"]
    assert last["parentSpanId"] == lived["spanId"]
    assert died["attributes"]["process.pid"] == child[1]
    assert died["status"] == {"code": 2, "message": "Worker exited prematurely: signal 9 (SIGKILL)."}
    assert died["events"]["exception"]["exception.type"] == "billiard.exceptions.WorkerLostError"
    assert "status" not in lived


def test_what_a_task_sends_and_its_retry_follow_from_its_run(redis_transport, start_worker, queue, collector, tracer,
                                                           note):
    start_worker(redis_transport, queue, environment=exporting(collector))
    redis_transport.send("journey.sender", str(note), queue=queue)
    redis_transport.send("journey.retry_until", 1, 0.0, queue=queue)
    until("four spans", lambda: len(collector.spans()) == 4)
    spans = collector.spans()
    sender, = of(spans, "journey.sender")
    sent, = of(spans, "journey.mark")
    assert (sent["traceId"], sent["parentSpanId"]) == (sender["traceId"], sender["spanId"])
    first, second = of(spans, "journey.retry_until")
    assert (second["traceId"], second["parentSpanId"]) == (first["traceId"], first["spanId"])
    assert [one["attributes"]["celery.state"] for one in (first, second)] == ["RETRY", "SUCCESS"]


@pytest.mark.parametrize("tracer", [ALWAYS_OFF], indirect=True)
def test_what_its_sender_does_not_sample_is_not_exported_and_passed_on_so(redis_transport, start_worker, queue,
                                                                        collector, tracer):
    worker = start_worker(redis_transport, queue, environment=exporting(collector))
    with tracer.start_as_current_span("order"):
        told = redis_transport.send("journey.trace", "", queue=queue).get(timeout=30)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[02] .*;", told), told
    assert worker.stop() == 0
    assert collector.spans() == []


def test_a_message_without_a_trace_begins_one_or_does_not_as_the_ratio_says(redis_transport, start_worker, queues,
                                                                          collector):
    for ratio, flags in (("1", "01"), ("0", "00")):
        queue = queues.new()
        worker = start_worker(redis_transport, queue,
                              environment=exporting(collector, TASKHOST_TRACES_SAMPLE_RATIO=ratio))
        told = redis_transport.send("journey.trace", "", queue=queue).get(timeout=30)
        assert told.split(" ")[0].endswith("-" + flags)
        assert worker.stop() == 0
    span, = collector.spans()
    assert "parentSpanId" not in span


def test_without_a_collector_a_trace_is_passed_on_as_it_came(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = chain(*[step(redis_transport, "journey.trace", *args, queue=queue) for args in ([""], [])])
    told = sent.apply_async(headers={"traceparent": parent}).get(timeout=30)
    assert told == f"{parent} {parent};" * 2
    assert redis_transport.send("journey.trace", "", queue=queue).get(timeout=30) == " ;"


def test_a_step_whose_headers_name_a_trace_of_its_own_keeps_it(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    parent, own = (f"00-{digit * 32}-b7ad6b7169203331-01" for digit in "ab")
    first, last = [step(redis_transport, "journey.trace", *args, queue=queue) for args in ([""], [])]
    told = chain(first, last.set(headers={"traceparent": own})).apply_async(headers={"traceparent": parent})
    assert told.get(timeout=30) == f"{parent} {parent};{own} {own};"


def test_baggage_and_sentrys_trace_are_on_the_message_of_the_next_step(transport, start_worker, queues, queue):
    start_worker(transport, queue)
    nobodys = queues.new()
    steps = [step(transport, "journey.echo", "a", queue=queue), step(transport, "journey.echo", queue=nobodys)]
    context = {"baggage": "sentry-release=1,k=v", "sentry-trace": f"{'a' * 32}-{'b' * 16}-1"}
    # As Sentry's client writes them; what is not context stays with its task.
    chain(*steps).apply_async(headers={**context, "mine": "1", "headers": {**context, "mine": "1"}})
    until("the second step", lambda: queues.ready(nobodys) == 1)
    found = queues.get(nobodys).headers
    assert {name: found.get(name) for name in context} == context and found["headers"] == context
    assert "mine" not in found


def test_opentelemetrys_variables_are_enough(redis_transport, start_worker, queue, collector):
    address = collector.endpoint.removesuffix("/v1/traces")
    worker = start_worker(redis_transport, queue, environment={
        "OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=of%20the%20shop",
        "OTEL_SPAN_EVENT_COUNT_LIMIT": "3"})
    redis_transport.send("journey.trace", "", queue=queue).get(timeout=30)
    until("the span", lambda: len(collector.spans()) == 1)
    assert {headers["x-key"] for _, headers, _ in collector.requests} == {"of the shop"}
    worker.wait_for_log("OTEL_SPAN_EVENT_COUNT_LIMIT")


@pytest.mark.parametrize("exports", [True, False], ids=["with a collector", "without one"])
def test_notes_of_other_systems_come_along_with_the_trace_and_end_with_it(redis_transport, start_worker, queue,
                                                                        collector, exports):
    start_worker(redis_transport, queue, slots=1, options=["--isolation", "keep:1000"],
                 environment=exporting(collector) if exports else {})
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1"}
    sent = chain(*[step(redis_transport, "journey.trace_state", *args, queue=queue) for args in ([""], [])])
    assert sent.apply_async(headers=headers).get(timeout=30) == "vendor=1 vendor=1;" * 2
    # In the same child: a task without any finds none of the one before.
    assert redis_transport.send("journey.trace_state", "", queue=queue).get(timeout=30) == " ;"
    if exports:
        until("three spans", lambda: len(collector.spans()) == 3)
        assert sorted(span.get("traceState", "") for span in collector.spans()) == ["", "vendor=1", "vendor=1"]


def test_spans_wait_for_a_collector_that_is_away(redis_transport, start_worker, queue, collector, tmp_path):
    collector.status = 503
    key = tmp_path / "headers"
    key.write_text("X-Key: of the shop\n")
    worker = start_worker(redis_transport, queue, options=("--metrics-port", "0"),
                          environment=exporting(collector, TASKHOST_TRACES_HEADERS_FILE=str(key)))
    redis_transport.send("journey.trace", "", queue=queue).get(timeout=30)
    worker.wait_for_log("spans cannot be delivered", "503")
    collector.status = 200
    until("the span", lambda: len(collector.spans()) == 1)
    worker.wait_for_log("spans are taken again")
    assert {headers["X-Key"] for _, headers, _ in collector.requests} == {"of the shop"}
    port = port_of(worker)
    until("the span to be counted", lambda: figure(port, "taskhost_spans_exported_total") == 1)
    assert figure(port, "taskhost_spans_dropped_total") == 0


def test_at_its_end_a_worker_delivers_what_waits(redis_transport, start_worker, queue, collector):
    collector.status = 503
    worker = start_worker(redis_transport, queue, environment=exporting(collector))
    redis_transport.send("journey.trace", "", queue=queue).get(timeout=30)
    # It pauses longer after each of them: for four seconds now.
    until("three requests in vain", lambda: len(collector.requests) == 3)
    collector.status = 200
    assert worker.stop() == 0
    assert len(collector.spans()) == 1
