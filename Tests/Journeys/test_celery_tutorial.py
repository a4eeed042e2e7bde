"""Each Python program of the users' Celery tutorial, as it stands there, with `taskhost` in place of `celery`, on Redis and on
RabbitMQ. What had to be put right in a program, or added, is in lab/course.py; it is needed with Celery's own worker, too."""
import ast
import datetime
import http.server
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest
from lab import course, settings
from lab.examples import lines
from lab.wait import until

BROKERS = ["redis", "rabbitmq"]
both = pytest.mark.parametrize("broker", BROKERS)
# What runs side by side has addresses of its own, as all of it sends to the queue `celery`.
PLACES = ["first", "mails", "periodic", "rates", "errors", "other"]


def addresses(broker, place):
    """Broker and results: databases of Redis, or a virtual host and a database."""
    redis = settings.server("REDIS_URL").rpartition("/")[0]
    own = 2 + 2 * PLACES.index(place)
    if broker == "redis":
        return f"{redis}/{own}", f"{redis}/{own + 1}"
    return settings.server("AMQP_URL").rpartition("/")[0] + f"/course-{place}", f"{redis}/1"


@pytest.fixture(scope="module")
def vhosts():
    if os.environ.get("TASKHOST_TEST_BROKER") == "postgresql":
        pytest.skip("the tutorial is about Redis and RabbitMQ")
    each = ", ".join(f'<<"course-{place}">>' for place in PLACES)
    done = subprocess.run([settings.server("RABBITMQCTL"), "eval", f"""
        [begin rabbit_vhost:add(Name, <<"tests">>),
               rabbit_auth_backend_internal:set_permissions(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)
         end || Name <- [{each}]]."""], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def pages():
    """The web, as far as the tutorial asks it: a list, at some addresses after being busy twice."""
    class Handler(http.server.BaseHTTPRequestHandler):
        asked = []

        def do_GET(self):
            self.asked.append(self.path)
            self.send_response(503 if "busy" in self.path and self.asked.count(self.path) <= 2 else 200)
            self.end_headers()
            self.wfile.write(b"[1, 2, 3]")

        def log_message(self, *words):
            """Not a line for each request."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.address = f"http://127.0.0.1:{server.server_port}"
    server.asked = Handler.asked
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def under_way(vhosts, pages, tmp_path_factory):
    """What mostly waits, begun at once: `tarea_larga` takes a minute, beat's first task is due after half of one, and there are
    ten calls a minute."""
    started = {}
    begins = {"first": first_chapters, "mails": mails, "periodic": periodic, "rates": rates, "errors": errors}
    try:
        for (place, begin), broker in itertools.product(begins.items(), BROKERS):
            one = course.Project(tmp_path_factory.mktemp(broker) / place, *addresses(broker, place),
                                 **{course.PAGES: pages.address})
            started[broker, place] = one
            begin(one)
            one.clients = {name: one.client(source.replace("PAGE", f"{pages.address}/{broker}"))
                           for name, source in one.clients.items()}
        for broker in BROKERS:
            # They wait for ten seconds at most.
            started[broker, "first"].ready()
            started[broker, "first"].run("main", "sincronas", "firmas", "chain", "group", "chord")
        yield started
    finally:
        for project in started.values():
            project.close()


def first_chapters(project):
    for name in ("celery_app.py", "tasks.py", "main.py"):
        project.put(name, "Configuración mínima")
    project.put("futuro.py", "2. AsyncResult", 0)
    project.put("inspeccion.py", "Inspección", 0)
    project.put("sincronas.py", "1. Tareas síncronas", 0)
    project.put("firmas.py", "3. Firmas", 0)
    for name, label in (("chain.py", "Chain - Secuencia"), ("group.py", "Group - Paralelo"),
                        ("chord.py", "Chord - Paralelo + Callback")):
        project.put(name, "4. Composición", label)
    project.worker(course.commands("Ejecutar el sistema")[1])
    # The document has no app of this name; the words are its own.
    project.worker(course.commands("2. Celery Workers")[1].replace("mi_proyecto", "celery_app"))
    project.run("futuro")


def mails(project):
    project.put("celery_app.py", "Ejemplo 1", "celery_app.py")
    project.put("tasks.py", "Ejemplo 2")
    project.put("main.py", "Ejemplo 2")
    # The operator's own file, which is in the tutorial's list of files: a minute is long for a test, and one attempt of ten fails.
    project.write("celeryconfig.py",
                  "task_annotations = {'tasks.enviar_email': {'default_retry_delay': 0.1, 'max_retries': 9}}\n")
    project.worker("celery -A tasks worker --loglevel=info --concurrency=30", CELERY_LOADER="default")
    project.run("main")
    project.clients["batch"] = """
import tasks
tell(tasks.enviar_email_batch.delay(["a@b", "c@d"], "x", "y").get(timeout=60))
"""


def periodic(project):
    project.put("celery_app.py", "Ejemplo 3")
    project.put("tasks.py", "Ejemplo 3")
    worker, beat = course.commands("Ejemplo 3", "Iniciar el sistema")
    project.worker(worker)
    project.worker(beat)
    project.clients["tasks"] = """
import tasks
names = ("limpiar_cache", "hacer_backup", "generar_reporte_semanal", "sincronizar_con_api", "procesar_facturacion")
tell([getattr(tasks, name).delay().get(timeout=30) for name in names])
"""


def rates(project):
    project.put("celery_app.py", "Ejemplo 4")
    project.put("tasks.py", "Ejemplo 4")
    for command in course.commands("Ejemplo 4", "Configurar workers con diferentes concurrencias"):
        project.worker(command)
    project.worker(course.commands("Ejecutar el sistema")[1])
    project.clients["tasks"] = """
import tasks
sent = [tasks.tarea_urgente.delay(), tasks.tarea_no_urgente.delay(), tasks.procesar_pago.delay(7, 12.5)]
sent += [tasks.llamar_api_externa.delay("PAGE") for _ in range(2)]
tell([one.get(timeout=30) for one in sent])
"""


def errors(project):
    project.put("celery_app.py", "Ejemplo 1", "celery_app.py")
    project.put("tasks.py", "Ejemplo 5")
    project.worker(course.commands("Ejemplo 1", "Usar el sistema")[1])
    project.clients["tasks"] = """
import tasks
refused = tasks.procesar_con_validacion.delay({})
sent = [tasks.descargar_archivo_externo.delay("PAGE-busy"), tasks.procesar_con_validacion.delay({"campo_requerido": 1}),
        tasks.tarea_con_fallback.delay([1])]
tell([one.get(timeout=60) for one in sent])
tell(refused.id)
"""


@pytest.fixture
def project(broker, under_way, pages, tmp_path):
    one = course.Project(tmp_path / "project", *addresses(broker, "other"), **{course.PAGES: pages.address})
    yield one
    one.close()


@both
def test_the_first_programs_print_what_the_tutorial_says(broker, under_way):
    programs = under_way[broker, "first"].programs
    assert programs["main"].finish() == ["Tarea enviada, continuando...", "Resultado: 10"]
    ten, task_id, again = programs["sincronas"].finish()
    assert (ten, again) == ("10", "10") and re.fullmatch(r"[0-9a-f-]{36}", task_id)
    assert programs["firmas"].finish() == ["10"]
    assert programs["chain"].finish() == ["20"]
    assert programs["group"].finish() == ["[3, 7, 11]"]
    assert programs["chord"].finish() == ["21"]


@both
def test_workers_are_inspected(broker, under_way):
    project = under_way[broker, "first"]
    printed = project.start("python", "inspeccion.py").finish()
    queues, active, scheduled, stats = map(ast.literal_eval, printed)
    assert "celery" in [queue["name"] for node in queues.values() for queue in node]
    # Two workers have one name here, as the document starts them: which of them tells of itself is not said.
    tasks = [task["name"] for node in active.values() for task in node]
    assert set(tasks) <= {"tasks.tarea_larga"}
    assert list(scheduled.values()) == [[]] * len(scheduled)
    assert all(node["pool"]["max-concurrency"] in (4, os.cpu_count()) for node in stats.values())


def asked(address):
    """Nothing where the API fails: the FAILURE that a task of the tutorial stores by itself, without the type of the error, is one
    that Celery's clients cannot read."""
    done = subprocess.run(["curl", "-sf", address], capture_output=True, timeout=30)
    return json.loads(done.stdout) if done.returncode == 0 else {}


@both
def test_pictures_come_by_an_api_are_worked_on_and_followed(broker, project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project.places |= {course.API_AS_RUN: f"app.run(debug=True, port={port})", course.API: f"http://127.0.0.1:{port}"}
    for name in ("celery_app.py", "tasks.py", "api.py"):
        project.put(name, "Ejemplo 1")
    os.mkdir(project.path("uploads"))
    shutil.copy(os.path.join(settings.ROOT, "Plugins", "images", "samples", "rocket.jpg"), project.path("foto.jpg"))
    [_, worker, api, send] = course.commands("Ejemplo 1", "Usar el sistema")
    served = project.worker(worker)
    api = project.start(*api.split())
    until("the API", lambda: "Debugger is active" in api.printed(errors=True), 20)

    def upload():
        done = subprocess.run(["bash", "-c", send.replace(course.API, project.places[course.API])], cwd=project.folder,
                              capture_output=True, text=True, timeout=30)
        told = json.loads(done.stdout)
        assert told["status"] == "processing"
        return lambda: asked(f"http://127.0.0.1:{port}/status/{told['task_id']}")

    status = upload()
    # The API asks for the state anew with each word of its answer: one that changes meanwhile is told half.
    seen = []
    until("the picture", lambda: seen.append(status()) or "result" in seen[-1], 30, every=0.1)
    assert {one["status"] for one in seen if one.get("total") == 2} & {"Iniciando...", "Aplicando blur...", "Aplicando rotate..."}
    assert seen[-1]["result"] == {"status": "success", "output_path": "uploads/foto_procesada.jpg",
                                  "operaciones_aplicadas": ["blur", "rotate"]}
    with open(project.path("uploads/foto_procesada.jpg"), "rb") as made:
        assert made.read(3) == b"\xff\xd8\xff"

    with open(project.path("foto.jpg"), "w") as broken:
        broken.write("no picture")
    status = upload()
    served.wait_for_log("UnidentifiedImageError")
    failed = until("the failure", lambda: status().get("state") == "FAILURE" and status(), 10, every=0.1)
    assert "cannot identify image file" in failed["status"]
    cleaned = project.python("import tasks\ntell(tasks.limpiar_archivos_temporales.delay(-1).get(timeout=20))")
    assert cleaned == ["Eliminados 2 archivos"] and os.listdir(project.path("uploads")) == []


@both
def test_a_thousand_mails_are_sent_tried_again_and_reported(broker, under_way):
    project = under_way[broker, "mails"]
    begun, ended = project.programs["main"].finish(100)
    assert re.fullmatch("Campaña iniciada: [0-9a-f-]{36}", begun)
    assert ended == "Reporte final: {'total': 1000, 'exitosos': 1000, 'fallidos': 0, 'tasa_exito': 100.0}"
    assert project.clients["batch"].told() == ["Enviando 2 emails..."]


@both
def test_rates_hold_and_each_queue_has_its_worker(broker, under_way):
    project = under_way[broker, "rates"]
    [told] = project.clients["tasks"].told()
    assert told == [None, None, {"status": "approved", "usuario": 7}, [1, 2, 3], [1, 2, 3]]
    urgent, other, usual = project.workers()
    # Ten a minute, where they begin: on a busy machine requests arrive later.
    first, second = [datetime.datetime.fromisoformat(line["time"]) for line in usual.log()
                     if line.get("task") == "tasks.llamar_api_externa" and "started in" in line["message"]]
    assert (second - first).total_seconds() > 5.9
    assert urgent.said("tarea_urgente", "succeeded") and other.said("tarea_no_urgente", "succeeded")
    assert urgent.events("ready")[0]["concurrency"] == 10 and other.events("ready")[0]["concurrency"] == 2


@both
def test_errors_are_tried_again_refused_or_passed_to_plan_b(broker, under_way, pages):
    project = under_way[broker, "errors"]
    told, refused = project.clients["tasks"].told()
    assert told == [{"url": f"{pages.address}/{broker}-busy", "size": 9, "status": "success"}, {"processed": True},
                    {"method": "principal", "datos": [1]}]
    assert pages.asked.count(f"/{broker}-busy") == 3
    [worker] = project.workers()
    for attempt in (1, 2, 3):
        assert worker.said(f"Intento {attempt} de descargar")
    # `except Exception` catches the Reject, too: it is tried again three times, and refused in the end.
    worker.wait_for_log(refused, "ejected")
    assert worker.said(refused, "Datos inv")


PARTS = '''
"""What the best practices call and do not have: a database, and mail to the team."""
import smtplib, sqlite3
from types import SimpleNamespace


def procesar():
    return 42


def obtener_pedido(number):
    database = sqlite3.connect("pedidos.db")
    [[state]] = database.execute("SELECT estado FROM pedidos WHERE id = ?", (number,))
    order = SimpleNamespace(estado=state)

    def save():
        with database:
            database.execute("UPDATE pedidos SET estado = ? WHERE id = ?", (order.estado, number))
    order.save = save
    return order


def cargar_de_db(number):
    return obtener_pedido(number)


def enviar_alerta_a_equipo(text):
    with smtplib.SMTP("127.0.0.1", PORT) as server:
        server.sendmail("worker@example.com", "equipo@example.com", f"Subject: alerta\\n\\n{text}".encode())
'''


@both
def test_best_practices_run_as_they_stand(broker, project, tmp_path):
    box = tmp_path / "box.jsonl"
    sink = project.start("python", os.path.join(settings.ROOT, "Examples", "common", "smtp_sink.py"), box, name="sink")
    port = until("the mail server", lambda: sink.printed().strip())
    project.put("celery_app.py", "Ejemplo 1", "celery_app.py")
    project.write("partes.py", PARTS.replace("PORT", port))
    begin = "from celery_app import app\nfrom partes import *\n"
    project.put("registro.py", "Logging efectivo", 0, before=begin)
    project.put("pedidos.py", "1. Idempotencia", 0, before=begin)
    project.put("limites.py", "2. Timeouts", 0, before=begin + "from celery.exceptions import SoftTimeLimitExceeded\n")
    project.put("datos.py", "3. Serialización", 0, before=begin)
    project.put("alertas.py", "4. Monitoring", 0, before=begin, after='''

@app.task
def fallar(word):
    raise ValueError(word)
''')
    project.write("practicas.py", "from celery_app import app\nimport alertas, datos, limites, pedidos, registro\n")
    worker = project.worker("celery -A practicas worker --loglevel=info")
    told = project.python("""
import sqlite3
with sqlite3.connect("pedidos.db") as database:
    database.execute("CREATE TABLE pedidos (id, estado)")
    database.execute("INSERT INTO pedidos VALUES (1, 'nuevo')")
import practicas, registro, pedidos, limites, datos, alertas
sent = [registro.tarea_con_logging.delay(), limites.tarea_con_timeout.delay(), datos.procesar.delay(1)]
tell([one.get(timeout=20) for one in sent])
tell(repr(alertas.fallar.delay("roto").get(timeout=20, propagate=False)))
# Of two tasks with one name (here, and datos.procesar) Celery keeps one, not always the same.
[pedidos.procesar_pedido.delay(1).get(timeout=20) for _ in range(2)]
tell(database.execute("SELECT * FROM pedidos").fetchall())
""")
    assert told == [[42, None, None], "ValueError('roto')", [[1, "procesado"]]]
    assert worker.said("Resultado: 42", '"level":"info"') and not worker.said("Procesando datos")
    mail = until("the team's mail", lambda: lines(box)[:1], 20)[0]
    assert mail["to"] == "equipo@example.com" and "Tarea alertas.fallar falló: roto" in mail["mail"]


@both
def test_beat_sends_what_is_due_and_the_tasks_run(broker, under_way, pages):
    project = under_way[broker, "periodic"]
    worker, _ = project.workers()
    assert project.clients["tasks"].told() == [["Cache limpiado", "Backup completado", "Reporte generado",
                                                "Sincronizados 3 registros", "Facturación procesada"]]
    due = subprocess.run(["taskhost", "-A", "celery_app", "beat", "next"], cwd=project.folder, env=project.environment,
                         capture_output=True, text=True, timeout=30).stdout
    for schedule, when in (("limpiar-cache-cada-30s", "30 s"), ("backup-diario", "02:00:00 -0300"),
                           ("reporte-semanal", "Mon .* 09:00:00 -0300"), ("sincronizar-datos", ":00:00 -03"),
                           ("facturacion-mensual", "-01 00:00:00 -0300")):
        assert any(schedule in line and re.search(when, line) for line in due.splitlines()), (schedule, due)
    # By hand, and by beat.
    worker.wait_for("beat's task", lambda: sum("Limpiando cache" in str(line) for line in worker.log()) >= 2, 40)


@both
def test_a_long_task_is_waited_for_in_vain_and_then_to_its_end(broker, under_way):
    printed = under_way[broker, "first"].programs["futuro"].finish(90)
    assert printed == ["False", "False", "False", "Tarea tardó más de 5 segundos", "True", "True"]


@pytest.mark.parametrize("name", ["celery_app.py", "tasks.py"])
def test_the_demo_runs_these_tasks_unmodified(name):
    with open(os.path.join(settings.ROOT, "demo", "mi_proyecto", name)) as file:
        assert file.read() == course.block("Configuración mínima", name).code


def test_no_program_of_the_tutorial_is_left_out():
    with open(__file__) as file:
        tests = file.read()
    for one in course.read():
        if one.language == "python" and not one.heading.startswith("Ejercicio "):
            heading = one.heading.split(":")[0].split(" (")[0]
            assert re.search(rf'"{re.escape(heading[:9])}', tests), one
            assert one.label is None or f'"{one.label}"' in tests, one
