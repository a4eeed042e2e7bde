"""The same task for RQ, and its worker: rq_noop.py QUEUE COUNT fills a queue; rq_noop.py QUEUE serves it.

A worker forks a process for each job, from one that has imported the task.
"""
import logging
import os
import sys

import redis
import rq


def add(x, y):
    tally.hit()
    return x + y


if __name__ == "__main__":
    # The jobs name the module, and this is another one of the same name.
    import rq_noop
    link = redis.Redis.from_url(os.environ["BENCH_REDIS_URL"])
    queue = rq.Queue(sys.argv[1], connection=link)
    if len(sys.argv) > 2:
        queue.enqueue_many([rq.Queue.prepare_data(rq_noop.add, (i, i + 1), result_ttl=0)
                            for i in range(int(sys.argv[2]))])
    else:
        logging.getLogger("rq.worker").setLevel(logging.WARNING)
        worker = rq.Worker([queue], connection=link)
        worker.log_job_description = False
        worker.work(logging_level="WARNING")
else:
    import tally
