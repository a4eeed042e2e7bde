"""The app's queues, where they are bound, and where tasks are routed by their names."""
from kombu.common import Broadcast

#: kombu's attributes of a queue that are arguments of its declaration; those in seconds become milliseconds.
ARGUMENTS = (("expires", "x-expires", 1000), ("message_ttl", "x-message-ttl", 1000), ("max_length", "x-max-length", 1),
             ("max_length_bytes", "x-max-length-bytes", 1), ("max_priority", "x-max-priority", 1))


def queues(found):
    amqp = found.app.amqp
    origin = "task_queues" if found.conf.get("task_queues") else "task_default_queue"
    served = []
    for name, queue in list(amqp.queues.consume_from.items()):
        if isinstance(queue, Broadcast):
            found.refuse("task_queues", "%s is a Broadcast queue, which taskhost does not serve" % name, part=name)
        else:
            served.append(name)
    if served and (origin == "task_queues" or found.is_set(origin)):
        found.add("worker.queues", served, origin)
    for name, queue in list(amqp.queues.items()):
        if name in served:
            declaration(found, name, queue, origin)
    kind = found.conf.get("task_create_missing_queue_type")
    if kind and found.is_set("task_create_missing_queue_type"):
        found.add(["queues", "*", "type"], kind, "task_create_missing_queue_type")


def declaration(found, name, queue, origin):
    """What differs from a queue of Celery's defaults: a direct exchange of its own name, bound by that name."""
    exchange = queue.exchange
    place = exchange.name or name
    if place != name:
        found.add(["queues", name, "exchange"], place, origin)
    if exchange.type and exchange.type != "direct":
        found.add(["queues", name, "exchange_type"], exchange.type, origin)
    if queue.routing_key and queue.routing_key != name:
        found.add(["queues", name, "routing_key"], queue.routing_key, origin)
    said = dict(queue.queue_arguments or {})
    for attribute, argument, factor in ARGUMENTS:
        value = getattr(queue, attribute, None)
        if value is not None and argument not in said:
            said[argument] = int(value * factor)
    for argument, key in (("x-max-priority", "max_priority"), ("x-queue-type", "type"),
                          ("x-dead-letter-exchange", "dead_letter_exchange")):
        if said.get(argument) is not None:
            found.add(["queues", name, key], said.pop(argument), origin)
    if said:
        found.add(["queues", name, "arguments"], said, origin)
    for wrong, word in ((not queue.durable, "durable = false"), (queue.exclusive, "exclusive"),
                        (queue.auto_delete, "auto_delete")):
        if wrong:
            found.refuse(origin, "%s: %s; queues here are durable, and stay" % (name, word), part=name)
    if getattr(queue, "bindings", None):
        found.refuse(origin, "%s: several bindings; declare them at the broker" % name, part=name)


def routes(found):
    """By name, for each task that the app knows: so lists, patterns and functions all come out as Celery has them.
    Patterns stand for tasks of other programs."""
    conf = found.conf
    if found.is_set("task_default_queue"):
        found.add(["routes", "*", "queue"], conf.task_default_queue, "task_default_queue")
    if not conf.get("task_routes"):
        return
    usual = target(found, found.app.amqp.router.expand_destination(conf.task_default_queue))
    for name in sorted(found.app.tasks):
        if name.startswith("celery."):
            continue
        try:
            made = found.app.amqp.router.route({}, name, task_type=found.app.tasks[name])
        except Exception as error:
            found.refuse("task_routes", "the route of %s cannot be told by its name (%s: %s): what follows a task goes "
                         "to the default queue" % (name, type(error).__name__, error), part=name)
            continue
        where = target(found, made)
        if where != usual:
            for key, value in where.items():
                found.add(["routes", name, key], value, "task_routes")
        for option in sorted(set(made) - {"queue", "exchange", "routing_key", "exchange_type"}):
            found.refuse("task_routes", "%s: %s is kept by what Python sends, not by what the host sends after a task"
                         % (name, option), part=name)
    patterns(found, conf.task_routes)


def patterns(found, given):
    """Those with nothing but `*`, for tasks of other programs."""
    for router in given if isinstance(given, (list, tuple)) else [given]:
        pairs = router.items() if isinstance(router, dict) else router if isinstance(router, (list, tuple)) else []
        for pair in pairs:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                continue
            name, route = pair
            if not isinstance(name, str) or name in found.app.tasks:
                if not isinstance(name, str):
                    found.refuse("task_routes", "the regular expression %s holds for the app's own tasks only"
                                 % getattr(name, "pattern", name), part="regex")
                continue
            if any(mark in name for mark in "?["):
                found.refuse("task_routes", "the pattern %s holds for the app's own tasks only" % name, part=name)
                continue
            where = target(found, route if isinstance(route, str) else dict(route))
            for key, value in where.items():
                found.add(["routes", name, key], value, "task_routes")


def target(found, route):
    """A queue, or an exchange and a key, as [routes] has it."""
    if isinstance(route, str):
        return {"queue": route}
    queue = route.get("queue")
    if queue is not None:
        name = queue if isinstance(queue, str) else queue.name
        key = route.get("routing_key")
        if not key or isinstance(queue, str) or key == queue.routing_key:
            return {"queue": name}
        return {"exchange": queue.exchange.name, "routing_key": key}
    if route.get("exchange") or route.get("routing_key"):
        exchange = route.get("exchange") or found.app.amqp.default_exchange
        return {"exchange": getattr(exchange, "name", exchange),
                "routing_key": route.get("routing_key") or found.conf.task_default_routing_key}
    return {"queue": found.conf.task_default_queue}
