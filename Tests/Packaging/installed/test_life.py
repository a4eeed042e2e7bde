"""From installing to purging, on a machine under systemd. The tests are steps: each goes on where the last one ended."""
import json
import re
import sys

from conftest import NEW, OLD

# As the unit has it.
AS_THE_SERVICE = "env XDG_STATE_HOME=/var/lib"
# What users have written is theirs; the rest is mounted here, or the journal's.
ELSEWHERE = ("/srv/", "/home/", "/root/", "/shared", "/proc", "/var/log/journal", sys.prefix, sys.base_prefix)


def property_of_the_service(machine, name):
    return machine.says(f"systemctl show -P {name} taskhost")


def call(machine, words):
    return machine.says(f"{AS_THE_SERVICE} taskhost call {words}", user="taskhost")


def state(machine, identity):
    done = machine.run(f"{AS_THE_SERVICE} taskhost result {identity} --json", check=False, user="taskhost")
    return json.loads(done.stdout)["state"]


def running(machine):
    said = machine.run("taskhost inspect active --local --json", check=False, user="taskhost").stdout
    return {task["id"] for tasks in (json.loads(said) if said.strip() else {}).values() for task in tasks}


def test_installing_starts_a_service_that_runs_as_its_own_user(machine):
    machine.run(f"apt-get -q update && apt-get -q install -y --no-install-recommends /shared/taskhost_{OLD}_*.deb")
    assert property_of_the_service(machine, "ActiveState") == "active"
    process = property_of_the_service(machine, "MainPID")
    assert machine.says(f"stat -c %U /proc/{process}") == "taskhost"
    assert machine.says("systemctl is-enabled taskhost") == "enabled"
    entry = machine.says("getent passwd taskhost")
    assert entry.endswith(":/var/lib/taskhost:/usr/sbin/nologin")
    assert machine.says("stat -c '%U %a' /etc/taskhost/taskhost.toml") == "root 644"
    machine.run("systemd-analyze verify --man=no taskhost.service")


def test_the_service_takes_calls_and_a_user_has_a_worker_of_his_own(machine):
    assert call(machine, "tasks.add 4 6 --wait=30") == "10.0"
    assert json.loads(machine.says("taskhost status --local --json", user="taskhost"))
    machine.run("useradd -m ada")
    said = machine.says("""export HOME=/home/ada; cd
        taskhost --concurrency 1 2>worker.log & worker=$!
        taskhost call tasks.add 4 6 --wait=30; kill $worker; wait $worker""", user="ada")
    assert said == "10.0"


def test_the_doctor_is_content_and_every_file_is_as_packed(machine):
    assert machine.run(f"{AS_THE_SERVICE} taskhost doctor -Q celery --config /etc/taskhost/taskhost.toml", user="taskhost").returncode == 0
    # Pages may be left out of small roots by dpkg's own settings; nothing else may differ.
    assert [line for line in machine.run("dpkg -V taskhost", check=False).stdout.splitlines()
            if not re.search(r"/usr/share/(man|doc|locale)/", line)] == []


def test_bundles_of_the_machines_own_are_loaded_by_a_reload(machine):
    machine.run("cp /shared/sleeper.so /usr/local/lib/taskhost/plugins/ && systemctl reload taskhost")
    machine.wait("sleeper is served", lambda: "sleeper" in machine.says("taskhost inspect registered --local", user="taskhost"))


def test_a_celery_app_runs_from_the_package(machine):
    machine.run("""mkdir /srv/proj && cat >/srv/proj/proj.py <<'END'
from celery import Celery
app = Celery("proj")
@app.task
def add(x, y): return x + y
END""")
    options = f"-A proj --workdir /srv/proj --python {sys.executable} -b sqlite:////srv/proj/tasks.db"
    said = machine.says(f"""cd /tmp; taskhost {options} --result-backend sqlite: worker -c 1 2>/srv/proj/log & worker=$!
        taskhost {options} --result-backend sqlite: call proj.add 4 6 --wait=60; kill $worker; wait $worker""")
    assert said == "10"


def test_an_upgrade_lets_what_runs_finish_and_keeps_settings(machine):
    machine.run("sed -i 's/^\\[worker\\]/[worker]\\ngrace = 20/' /etc/taskhost/taskhost.toml && systemctl restart taskhost")
    process = property_of_the_service(machine, "MainPID")
    long = call(machine, "sleeper.sleep 6")
    waiting = [call(machine, "sleeper.sleep 1") for _ in range(6)]
    machine.wait("it runs", lambda: long in running(machine))
    machine.run(f"dpkg -i --force-confdef --force-confold /shared/taskhost_{NEW}_*.deb")
    assert machine.says("dpkg-query -W -f '${Version}' taskhost") == NEW
    assert property_of_the_service(machine, "MainPID") != process
    assert property_of_the_service(machine, "ActiveState") == "active"
    # It was over when the old worker ended, which waited for it.
    assert state(machine, long) == "SUCCESS"
    for identity in waiting:
        machine.wait("all are done", lambda: state(machine, identity) == "SUCCESS")
    starts = machine.says(f"journalctl -u taskhost -o cat | grep -c '{long}. started in process'")
    assert starts == "1"
    assert "grace = 20" in machine.says("cat /etc/taskhost/taskhost.toml")


def test_an_upgrade_gives_back_what_does_not_finish_in_time(machine):
    machine.run("sed -i 's/^grace = 20/grace = 1/' /etc/taskhost/taskhost.toml && systemctl restart taskhost")
    long = call(machine, "sleeper.sleep 8")
    machine.wait("it runs", lambda: long in running(machine))
    machine.run(f"dpkg -i --force-confdef --force-confold /shared/taskhost_{OLD}_*.deb")
    machine.wait("the new worker has run it", lambda: state(machine, long) == "SUCCESS")
    starts = machine.says(f"journalctl -u taskhost -o cat | grep -c '{long}. started in process'")
    assert starts == "2"


def test_a_killed_worker_comes_back(machine):
    process = property_of_the_service(machine, "MainPID")
    machine.run(f"kill -KILL {process}")
    machine.wait("another one", lambda: property_of_the_service(machine, "MainPID") not in ("0", process)
                 and property_of_the_service(machine, "ActiveState") == "active")
    assert call(machine, "tasks.add 4 6 --wait=30") == "10.0"


def test_a_bundle_is_built_with_the_dev_package_alone(machine):
    machine.run(f"apt-get -q install -y --no-install-recommends gcc libc6-dev pkgconf make /shared/taskhost-dev_{OLD}_*.deb")
    machine.run("""cd /root && printf '%s\\n' '#include <taskhost.h>' \
        'static double area(double width, double height) { return width * height; }' \
        'TASK_DEF(area, f64, (f64, width), (f64, height, 1.0));' 'TASKHOST_BUNDLE("greetings", "1.0.0");' >greet.c
        cc -O2 -shared -fPIC $(pkg-config --cflags taskhost) -o /usr/local/lib/taskhost/plugins/greet.so greet.c \
            $(pkg-config --libs taskhost)
        taskhost new mine && sed -i 's/tasks\\.add/mine.add/; s/tasks\\.count/mine.count/' mine/tasks.c
        make -C mine OUT=/usr/local/lib/taskhost/plugins
        systemctl reload taskhost""")
    machine.wait("it is served", lambda: "greetings" in machine.says("taskhost inspect registered --local", user="taskhost"))
    assert call(machine, "greetings.area 4 --kw height=2.5 --wait=30") == "10.0"
    assert call(machine, "mine.add 4 6 --wait=30") == "10"


def test_purging_leaves_nothing_but_the_locked_user(machine):
    machine.run("rm /usr/local/lib/taskhost/plugins/*")
    machine.run("apt-get -q purge -y taskhost taskhost-dev")
    assert property_of_the_service(machine, "LoadState") == "not-found"
    assert machine.says("ps -u taskhost -o pid= || true") == ""
    # By name, or written by the service or its tasks.
    left = machine.says("find / -xdev \\( -path '*taskhost*' -o -user taskhost \\) -print 2>/dev/null || true").splitlines()
    assert [path for path in left if not path.startswith(ELSEWHERE)] == []
    assert machine.says("getent passwd taskhost").endswith("/usr/sbin/nologin")
    assert machine.says("getent shadow taskhost").split(":")[1].startswith("!")
