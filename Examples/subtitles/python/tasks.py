"""The same stages as a Celery app. Las mismas etapas como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker     # or celery -A tasks worker
"""
import array
import io
import os
import time
import wave

from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("subtitles")
log = get_task_logger(__name__)
STAGES = 4


def stage(number, file):
    """A task that leaves a file in its folder, whole or not at all, and does nothing where it is there already. So a pipeline
    that failed is simply sent once more. / Una tarea que deja un archivo, y que no repite el trabajo si ya está."""
    def decorate(make):
        def run(self, folder, **options):
            path = os.path.join(folder, file)
            if os.path.exists(path):
                log.info("%s is there already", file)
                return folder
            made = make(folder, Progress(self, number), **options)
            with open(path + ".new", "wb") as new:
                new.write(made)
            os.rename(path + ".new", path)
            return folder

        return app.task(name=f"subtitles.{make.__name__}", bind=True, time_limit=600)(run)
    return decorate


class Progress:
    """Tells callers the stage, how much of it is done, and how long the rest of it may take. / Etapa, avance y tiempo restante."""

    def __init__(self, task, number):
        self.task, self.number, self.begun = task, number, time.monotonic()

    def tell(self, done, total):
        left = (time.monotonic() - self.begun) / done * (total - done) if done else 0
        self.task.update_state(state="PROGRESS", meta={
            "stage": self.number, "stages": STAGES, "done": done, "total": total, "seconds_left": left})


def samples(path):
    """Samples in a second, and all of them. Muestras por segundo, y todas."""
    with wave.open(path) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise ValueError("no WAV file with 16 bits and one channel")
        return file.getframerate(), array.array("h", file.readframes(file.getnframes()))


def lines(path):
    try:
        with open(path) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        # Celery's results keep the arguments of an exception; the file's name is none of them. / Para que se sepa cuál.
        raise FileNotFoundError(f"{path}: there is no such file") from None


@stage(1, "levels.txt")
def extract(folder, progress, pace=0.0):
    """How loud each tenth of a second is. El volumen de cada décima de segundo."""
    rate, sound = samples(os.path.join(folder, "input.wav"))
    length = max(1, rate // 10)
    tenths = [sound[start:start + length] for start in range(0, len(sound), length)]
    text = ""
    for number, tenth in enumerate(tenths, 1):
        text += f"{max(map(abs, tenth))}\n"
        progress.tell(number, len(tenths))
        # To have something to look at. Para que haya algo que mirar.
        time.sleep(pace)
    return text.encode()


@stage(2, "speech.txt")
def transcribe(folder, progress):
    """When somebody speaks. It needs a model, the level from which on it is speech, and fails without. / Cuándo habla alguien."""
    level = int(lines(os.path.join(folder, "model.txt"))[0])
    speaks = [int(line) >= level for line in lines(os.path.join(folder, "levels.txt"))]
    text, start = "", None
    for tenth, speaking in enumerate([*speaks, False]):
        if speaking and start is None:
            start = tenth
        elif not speaking and start is not None:
            text += f"{start} {tenth}\n"
            start = None
    progress.tell(len(speaks), len(speaks))
    return text.encode()


@stage(3, "subtitles.srt")
def subtitle(folder, progress):
    spans = [map(int, line.split()) for line in lines(os.path.join(folder, "speech.txt"))]
    entries = [f"{number}\n{clock(start)} --> {clock(end)}\n[speech]\n" for number, (start, end) in enumerate(spans, 1)]
    progress.tell(len(spans), len(spans))
    return "\n".join(entries).encode()


def clock(tenths):
    """00:00:01,500"""
    seconds = tenths // 10
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{tenths % 10}00"


@stage(4, "small.wav")
def compress(folder, progress):
    """Half of the samples. La mitad de las muestras."""
    rate, sound = samples(os.path.join(folder, "input.wav"))
    half = sound[::2]
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, rate // 2, 0, "NONE", "not compressed"))
        file.writeframes(half.tobytes())
    progress.tell(len(half), len(half))
    return made.getvalue()
