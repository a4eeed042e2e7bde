"""What contrib/ gives to operators fits the program: metrics, probes, grace periods, paths."""
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CONTRIB = ROOT / "contrib"
METRIC = re.compile(r"\btaskhost_[a-z_]+\b")
LABELS_OF_PROMETHEUS = {"le", "instance", "job"}


@pytest.fixture(scope="module")
def metrics():
    """name -> labels, as docs/metrics.md has them and the sources name them."""
    rows = re.findall(r"^\| (`taskhost_.*?) \| (\w+) \| (.*?) \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    known = {}
    for names, kind, labels in rows:
        for name in METRIC.findall(names):
            known[name] = set(re.findall(r"`(\w+)`", labels))
            if kind == "histogram":
                known |= {f"{name}_{part}": known[name] | {"le"} for part in ("bucket", "sum", "count")}
    sources = "".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
    written = set(re.findall(r'"(taskhost_[a-z_]+)"', sources))
    assert {name for name in known if not name.endswith(("_bucket", "_sum", "_count"))} <= written
    return known


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def test_every_metric_and_label_of_the_dashboard_is_the_programs(metrics):
    dashboard = json.loads((CONTRIB / "grafana" / "taskhost.json").read_text())
    asked = list(queries(dashboard))
    for title, query in asked:
        named = METRIC.findall(query)
        assert named, f"{title} asks for no metric of ours"
        for name in named:
            assert name in metrics, f"{title} asks for {name}, which no worker has"
        labels = {label for part in re.findall(r"\{(.*?)\}", query) for label in re.findall(r"(\w+)\s*=~?", part)}
        labels |= {label for part in re.findall(r"by \((.*?)\)", query) for label in re.split(r",\s*", part)}
        for label in labels - LABELS_OF_PROMETHEUS:
            assert all(label in metrics[name] for name in named), f"{title}: {named} have no label {label}"
    shown = {name for _, query in asked for name in METRIC.findall(query)}
    hidden = {name for name in metrics if not name.endswith(("_bucket", "_sum", "_count")) and name not in shown
              and f"{name}_bucket" not in shown}
    assert not hidden, "docs/metrics.md has metrics that the dashboard does not show"
    identities = [panel["id"] for panel in dashboard["panels"]]
    assert len(identities) == len(set(identities))


def manifests(name):
    return {one["kind"]: one for one in yaml.safe_load_all((CONTRIB / "kubernetes" / name).read_text())}


def test_the_scaler_asks_for_metrics_and_queues_that_are_there(metrics):
    scaled = manifests("keda.yaml")["ScaledObject"]["spec"]
    workers = manifests("worker.yaml")
    assert scaled["scaleTargetRef"]["name"] == workers["Deployment"]["metadata"]["name"]
    served = tomllib.loads(workers["ConfigMap"]["data"]["taskhost.toml"])["worker"]["queues"]
    asked = [trigger["metadata"]["queueName"] for trigger in scaled["triggers"] if trigger["type"] == "rabbitmq"]
    assert asked == served
    for trigger in scaled["triggers"]:
        for name in METRIC.findall(trigger["metadata"].get("query", "")):
            assert name in metrics
    secret = manifests("keda.yaml")["TriggerAuthentication"]["spec"]["secretTargetRef"]
    assert all(one["key"] in workers["Secret"]["stringData"] for one in secret)


def test_pods_are_given_longer_than_the_grace_of_their_tasks():
    workers = manifests("worker.yaml")
    settings = tomllib.loads(workers["ConfigMap"]["data"]["taskhost.toml"])
    pod = workers["Deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= settings["worker"]["grace"] + 15


def test_probes_ask_at_the_port_and_for_the_paths_that_workers_serve():
    workers = manifests("worker.yaml")
    settings = tomllib.loads(workers["ConfigMap"]["data"]["taskhost.toml"])
    pod = workers["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [port] = container["ports"]
    assert port["containerPort"] == settings["metrics"]["port"]
    served = re.findall(r"^\| `(/\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in served and asked["port"] == port["name"]
    # A broker that is away must not kill workers.
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    # Files that the settings name are mounted; whoever reads only may write nowhere else.
    mounted = [one["mountPath"] for one in container["volumeMounts"]]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {"/tmp", "/etc/taskhost/secrets", "/var/lib/taskhost"} <= set(mounted)
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert settings["broker"]["url_file"].rpartition("/")[2] in workers["Secret"]["stringData"]
    selector = workers["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    assert selector.items() <= workers["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_pods_run_as_the_user_of_the_image():
    user = manifests("worker.yaml")["Deployment"]["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    for name in ("Containerfile", "Containerfile.deb"):
        assert f"USER {user}:{user}" in (CONTRIB / "container" / name).read_text()


def test_what_is_linked_statically_is_named_with_its_licence():
    named = (CONTRIB / "debian" / "copyright").read_text()
    for package in re.findall(r'\.package\(url: "[^"]*/([^"/]+)"', (ROOT / "Package.swift").read_text()):
        assert f"Files: linked:{package}\n" in named
    # C++ headers that are compiled in: whatever stands in a folder of its own in the system's.
    for file in (ROOT / "Sources").rglob("*.cpp"):
        for header in re.findall(r"^#include <([\w+]+)/", file.read_text(), re.M):
            assert f"Files: linked:{header.replace('+', 'plus')}\n" in named
