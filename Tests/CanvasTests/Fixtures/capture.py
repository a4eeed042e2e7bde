"""Writes applied.json: what a stock Celery publishes when a worker calls a signature with a result.

Run by hand when Celery changes: python3 -m venv v && v/bin/pip install 'celery==5.7.*' && v/bin/python capture.py
"""

import json
import pathlib

from celery import Celery, chain, chord, group, signature
from celery._state import _task_stack

HERE = pathlib.Path(__file__).parent
app = Celery("fixtures", broker="memory://", backend="cache+memory://")
app.conf.update(task_default_queue="q")


@app.task(name="demo.current", bind=True)
def current(self):
    pass


def add(*args, **options):
    return signature("demo.add", args, app=app, **options)


def tsum(**options):
    return signature("demo.sum", app=app, **options)


def drain():
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("q")
        while True:
            try:
                message = queue.get(block=False)
            except queue.Empty:
                return
            message.ack()
            names = "task", "id", "group", "group_index", "root_id", "parent_id", "replaced_task_nesting"
            yield {"headers": {name: message.headers[name] for name in names}, "body": json.loads(message.body)}


CASES = {
    "task": add(1),
    "immutable": add(1, 2).set(immutable=True),
    "task with links": add(1).on_error(add(9)).set(link=[add(5), add(6)]),
    "chain": chain(add(1), add(2), add(3)),
    "chain with links": chain(add(1), add(2)).on_error(add(9)).set(link=[add(5)]),
    "group": group(add(1), add(2)),
    "nested group": group(add(1), group(add(2), add(3)), add(4)),
    "group of chains": group(chain(add(1), add(2)), add(3)),
    "chain ending in a group": chain(add(1), group(add(2), add(3))),
    "chain with a group inside": chain(add(1), group(add(2), add(3)), tsum(), add(4)),
    "chain beginning with a group": chain(group(add(2), add(3)), tsum()),
    "two groups in a chain": chain(add(1), group(add(2), add(3)), group(add(4), add(5)), tsum()),
    "chord": chord([add(1), add(2)], tsum()),
    "chord with links": chord([add(1), add(2)], tsum()).on_error(add(9)),
    "chord with a nested group": chord([group(add(1), add(2)), add(3)], tsum()),
    "chord of chains": chord([chain(add(1), add(2)), add(3)], tsum()),
    "chord of chords": chord([chord([add(1), add(2)], tsum()), add(3)], tsum()),
    "chord with a chain as body": chord([add(1), add(2)], chain(tsum(), add(3))),
    "chord with a group as body": chord([add(1), add(2)], group(add(3), add(4))),
    "chord with a chain ending in a group": chord([chain(add(1), group(add(2), add(3))), add(4)], tsum()),
    "chord without a header": chord([], tsum()),
    "group of one": group(add(1)),
    "chain with a group of one": chain(add(1), group(add(2)), add(3)),
    "chain of chords": chain(chord([add(1), add(2)], tsum()), chord([add(3), add(4)], tsum())),
    "group with an errback of its own": group(add(1).on_error(add(8)), chain(add(2), add(3))).set(link_error=[add(9)]),
    "chord with a group with an errback as body": chord([add(1)], group(add(2), tsum()).set(link_error=[add(9)])),
    "group with an errback around a chord": group(chord([add(1), add(2)], tsum())).set(link_error=[add(9)]),
    "stamped": add(1).set(stamped_headers=["on"], on="abc"),
}


def as_worker(call):
    current.push_request(id="current", root_id="root", called_directly=False, delivery_info={}, children=[])
    _task_stack.push(current)
    try:
        call()
        return [child.as_tuple() for child in current.request.children]
    finally:
        _task_stack.pop()
        current.pop_request()


def main():
    cases = []
    for frozen in False, True:
        for name, made in CASES.items():
            made = made.clone()
            if frozen:
                if name == "chord without a header":
                    continue
                made.freeze()
            wire = json.loads(json.dumps(made))
            called = signature(json.loads(json.dumps(made)), app=app)
            options = {"parent_id": "current", "root_id": "root"}
            children = as_worker(lambda: called.apply_async((100,), **options))
            cases.append({
                "name": name + (", frozen" if frozen else ""), "signature": wire, "children": children,
                "messages": list(drain()),
            })
    steps = json.loads(json.dumps([add(7).set(task_id="last"), chord([add(1), add(2)], tsum())]))
    called = signature(steps[-1], app=app)
    children = as_worker(
        lambda: called.apply_async((100,), parent_id="current", root_id="root", chain=steps[:-1], priority=None))
    cases.append({"name": "next step of a chain", "chain": steps, "children": children, "messages": list(drain())})
    replacements = {
        "replaced by a task": add(1), "replaced by a chain": chain(add(1), add(2)),
        "replaced by a group": group(add(1), add(2)), "replaced by a chord": chord([add(1), add(2)], tsum()),
    }
    for name, made in replacements.items():
        wire = json.loads(json.dumps(made))

        def replace():
            current.request.update(
                chain=json.loads(json.dumps([add(5).set(task_id="next")])), callbacks=[dict(add(6))], errbacks=[dict(add(8))],
                group=None, chord=None)
            try:
                current.replace(signature(json.loads(json.dumps(made)), app=app))
            except Exception as error:  # Ignore
                assert "Replaced" in str(error), error

        children = as_worker(replace)
        cases.append({
            "name": name, "replacement": wire, "chain": json.loads(json.dumps([add(5).set(task_id="next")])),
            "callbacks": [json.loads(json.dumps(add(6)))], "errbacks": [json.loads(json.dumps(add(8)))],
            "children": children, "messages": list(drain()),
        })
    HERE.joinpath("applied.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
