"""example - tasks to start from. `taskhost dev` serves them in this folder, as does Celery's own worker."""
from celery import Celery

app = Celery("example")


@app.task(name="tasks.add")
def add(x: int, y: int) -> int:
    """The sum of two numbers."""
    return x + y


@app.task(name="tasks.count", bind=True, soft_time_limit=5, time_limit=10)
def count(self, to: int = 3) -> list:
    """Counts, and shows how far it is."""
    numbers = []
    for number in range(1, to + 1):
        numbers.append(number)
        self.update_state(state="PROGRESS", meta={
            "done": number, "total": to, "current": number, "percent": round(100 * number / to, 2)})
    return numbers
