"""The same task for mayu; mayu_noop.py COUNT fills its queue."""
import os
import sys

import mayu

app = mayu.App(broker=os.environ["BENCH_REDIS_URL"],
               result_ttl=int(os.environ.get("NOOP_RESULT_SECONDS") or 0) or None)


@app.task
def add(x, y):
    import tally
    tally.hit()
    return x + y


if __name__ == "__main__":
    import mayu_noop
    for number in range(int(sys.argv[1])):
        mayu_noop.add.delay(number, number + 1)
