#!/usr/bin/env python3
"""The examples that people deploy by, as those who take them would read them.

    examples_check.py [--binary target/debug/baseline]

* examples/kubernetes: base and its variants, patched as kustomize would, against the schemas of Kubernetes; and what a
  restricted namespace asks of a pod.
* examples/ecs: cfn-lint, without a warning; and what it comes to, with one task and with two that share a queue.
* examples/systemd: `systemd-analyze verify` and how much is left open, where there is systemd.
* everywhere: the commands and flags are those of the program.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jsonpatch
import kubernetes_validate
import yaml

from program import Wrong, equal

EXAMPLES = Path(__file__).parents[2] / "examples"
KUBERNETES = "1.34"
# What `systemd-analyze security` may say at most, of 10 (ten times that, as it wants it).
EXPOSURE = 20


def kustomized(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes, as far as these files use it."""
    layer = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    known = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}
    equal(f"unknown fields of {folder.name}", set(layer) - known, set())
    objects: list[dict[str, Any]] = []
    for name in layer["resources"]:
        path = folder / name
        objects += kustomized(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    listed = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    equal(f"files of {folder.name} that are in no list", listed - set(layer["resources"]), set())
    for patch in layer.get("patches", []):
        patched(objects, patch)
    for image in layer.get("images", []):
        for one in objects:
            for container in containers(one):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    return objects


def patched(objects: list[dict[str, Any]], patch: dict[str, Any]) -> None:
    target = patch["target"]
    places = [n for n, one in enumerate(objects) if (one["kind"], one["metadata"]["name"]) == (target["kind"], target["name"])]
    equal(f"objects that the patch of {target} means", len(places), 1)
    change = yaml.safe_load(patch["patch"])
    one = objects[places[0]]
    objects[places[0]] = jsonpatch.apply_patch(one, change) if isinstance(change, list) else merged(one, change)


def merged(one: Any, change: Any) -> Any:
    """A strategic merge without lists, which these patches do not have."""
    if not isinstance(change, dict):
        return change
    if any(isinstance(value, list) for value in change.values()):
        raise Wrong("a patch with a list is not read here")
    result = copy.deepcopy(one) if isinstance(one, dict) else {}
    for key, value in change.items():
        result[key] = merged(result.get(key), value)
    return result


def containers(one: dict[str, Any]) -> list[dict[str, Any]]:
    return one["spec"]["template"]["spec"]["containers"] if one["kind"] == "Deployment" else []


def kubernetes() -> None:
    kinds_of_base = ["Deployment", "Namespace", "NetworkPolicy", "Service", "ServiceAccount"]
    for variant in ("base", "irsa", "pod-identity", "queue"):
        objects = kustomized(EXAMPLES / "kubernetes" / variant)
        for one in objects:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)
        kinds = sorted(one["kind"] for one in objects)
        more = ["PodDisruptionBudget"] if variant == "queue" else []
        equal("kinds", kinds, sorted(kinds_of_base + more))
        fit_together({one["kind"]: one for one in objects})
    base, identity = (kustomized(EXAMPLES / "kubernetes" / name) for name in ("base", "pod-identity"))
    equal("rules that Pod Identity adds", len(egress(identity)) - len(egress(base)), 1)
    irsa = {one["kind"]: one for one in kustomized(EXAMPLES / "kubernetes" / "irsa")}
    if not irsa["ServiceAccount"]["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::"):
        raise Wrong("the service account has no role")
    several(*({one["kind"]: one for one in kustomized(EXAMPLES / "kubernetes" / name)} for name in ("base", "queue")))


def several(alone: dict[str, Any], shared: dict[str, Any]) -> None:
    """One pod is never beside another without a queue; with one, there is always one, and they are told to share."""
    one, two = alone["Deployment"]["spec"], shared["Deployment"]["spec"]
    equal("pods", (one["replicas"], two["replicas"]), (1, 2))
    equal("one after the other", one["strategy"], {"type": "Recreate"})
    equal("one before the other", two["strategy"], {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    arguments = [spec["template"]["spec"]["containers"][0]["args"] for spec in (one, two)]
    added = [flag.split("=")[0] for flag in arguments[1] if flag not in arguments[0]]
    equal("what the queue adds", added, ["--queue", "--hints"])
    urls = [flag.split("=", 1)[1] for flag in arguments[1] if flag not in arguments[0]]
    equal("the shared queue is FIFO, and that of hints is not", [url.endswith(".fifo") for url in urls], [True, False])
    budget = shared["PodDisruptionBudget"]["spec"]
    if not budget["selector"]["matchLabels"].items() <= two["template"]["metadata"]["labels"].items():
        raise Wrong("the selector of the PodDisruptionBudget does not mean the pod")
    equal("pods that may be evicted at a time", budget["maxUnavailable"], 1)


def egress(objects: list[dict[str, Any]]) -> list[Any]:
    return next(one for one in objects if one["kind"] == "NetworkPolicy")["spec"]["egress"]


def fit_together(by_kind: dict[str, dict[str, Any]]) -> None:
    """Selectors mean the pod, and the pod is one that a restricted namespace takes (Pod Security Standards)."""
    pod = by_kind["Deployment"]["spec"]["template"]
    for kind, selector in (
        ("Deployment", by_kind["Deployment"]["spec"]["selector"]["matchLabels"]),
        ("Service", by_kind["Service"]["spec"]["selector"]),
        ("NetworkPolicy", by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]),
    ):
        if not selector.items() <= pod["metadata"]["labels"].items():
            raise Wrong(f"the selector of the {kind} does not mean the pod")
    spec = pod["spec"]
    (container,) = spec["containers"]
    equal("service account", spec["serviceAccountName"], by_kind["ServiceAccount"]["metadata"]["name"])
    equal("runs as nobody", (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]), (True, 65532))
    equal("seccomp", spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
    security = container["securityContext"]
    equal("escalation", security["allowPrivilegeEscalation"], False)
    equal("root file system", security["readOnlyRootFilesystem"], True)
    equal("capabilities", security["capabilities"], {"drop": ["ALL"]})
    equal("grace", spec["terminationGracePeriodSeconds"] >= 120, True)
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    equal("volumes", mounts, {volume["name"] for volume in spec["volumes"]})
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    equal("probes", probes, {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"})
    for one in by_kind.values():
        if one["kind"] != "Namespace":
            equal(f"namespace of the {one['kind']}", one["metadata"]["namespace"], "baseline")


def ecs() -> None:
    template = EXAMPLES / "ecs" / "template.yaml"
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())", "--regions", "eu-west-1", "us-east-1", "--", str(template)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Wrong(f"cfn-lint says of {template.name}:\n{done.stdout}{done.stderr}")
    queue, hints = (f"https://sqs.eu-west-1.amazonaws.com/777766665555/{name}" for name in ("baseline.fifo", "baseline-hints"))
    for parameters, flags, queues, deployed in (
        ({}, [], [], (1, 0, 100)),
        ({"HintsUrl": hints}, [f"--hints={hints}"], ["baseline-hints"], (1, 0, 100)),
        (
            {"QueueUrl": queue, "HintsUrl": hints},
            [f"--queue={queue}", f"--hints={hints}"],
            ["baseline.fifo", "baseline-hints"],
            (2, 100, 200),
        ),
    ):
        stack = Stack(yaml.load(template.read_text(encoding="utf-8"), CloudFormation), parameters)
        task = stack.properties("Task")["ContainerDefinitions"][0]["Command"]
        equal("flags of the queues", [flag for flag in task if flag.startswith(("--queue", "--hints"))], flags)
        policy = stack.properties("TaskRole")["Policies"][0]["PolicyDocument"]["Statement"]
        allowed = [one for one in policy if any(action.startswith("sqs:") for action in one["Action"])]
        wanted = [f"arn:aws:sqs:eu-west-1:777766665555:{name}" for name in queues]
        equal("queues that the role may use", [one["Resource"] for one in allowed], wanted)
        service = stack.properties("Service")
        configuration = service["DeploymentConfiguration"]
        counts = (service["DesiredCount"], configuration["MinimumHealthyPercent"], configuration["MaximumPercent"])
        equal("tasks", counts, deployed)


class CloudFormation(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as a dictionary of one, by their names."""


def function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise Wrong(f"!{name} of a mapping")


CloudFormation.add_multi_constructor("!", function)


class Stack:
    """What a template comes to, as far as this one uses its language."""

    def __init__(self, template: dict[str, Any], parameters: dict[str, str]) -> None:
        self.template = template
        said = {name: one.get("Default", f"a-{name}") for name, one in template["Parameters"].items()}
        pseudo = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "777766665555"}
        self.values = said | pseudo | parameters
        for name, value in parameters.items():
            pattern = template["Parameters"][name]["AllowedPattern"]
            equal(f"{name} is let through", re.fullmatch(pattern, value) is not None, True)

    def properties(self, name: str) -> Any:
        return self.value(self.template["Resources"][name]["Properties"])

    def value(self, one: Any) -> Any:
        if isinstance(one, list):
            return [made for made in map(self.value, one) if made is not None]
        if not isinstance(one, dict):
            return one
        if len(one) == 1:
            (name, argument), = one.items()
            made = getattr(self, f"do_{name.lower()}", None)
            if made is not None:
                return made(argument)
        return {key: made for key, value in one.items() if (made := self.value(value)) is not None}

    def do_ref(self, name: str) -> Any:
        return None if name == "AWS::NoValue" else self.values.get(name, name)

    def do_getatt(self, name: str) -> Any:
        return name

    def do_if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.value(then if self.value(self.template["Conditions"][condition]) else otherwise)

    def do_equals(self, argument: list[Any]) -> bool:
        first, second = self.value(argument)
        return first == second

    def do_not(self, argument: list[Any]) -> bool:
        return not self.value(argument[0])

    def do_split(self, argument: list[Any]) -> list[str]:
        by, text = self.value(argument)
        return text.split(by)

    def do_select(self, argument: list[Any]) -> Any:
        index, values = self.value(argument)
        return values[int(index)]

    def do_sub(self, argument: Any) -> str:
        text, more = argument if isinstance(argument, list) else (argument, {})
        values = self.values | self.value(more)
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(values[found[1]]), text)


def systemd(binary: Path) -> None:
    unit = EXAMPLES / "systemd" / "baseline.service"
    if shutil.which("systemd-analyze") is None:
        print("  there is no systemd here: the unit is not looked at")
        return
    with tempfile.TemporaryDirectory() as folder:
        # The program has to be there for the unit to be right.
        text = unit.read_text(encoding="utf-8")
        equal("programs that it starts", text.count("=/usr/local/bin/baseline "), 1)
        copied = Path(folder) / unit.name
        copied.write_text(text.replace("ExecStart=/usr/local/bin/baseline", f"ExecStart={binary}"), encoding="utf-8")
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copied)], capture_output=True, text=True)
        said = [line for line in verified.stderr.splitlines() if unit.name in line]
        if verified.returncode != 0 or said:
            raise Wrong(f"systemd-analyze verify says:\n{verified.stderr}")
        security = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", str(copied)],
            capture_output=True,
            text=True,
        )
        if security.returncode != 0:
            raise Wrong(f"systemd-analyze security says:\n{security.stdout}{security.stderr}")
        print(f"  {security.stdout.strip().splitlines()[-1]}")


def flags(binary: Path) -> None:
    """Every flag that an example gives to the program is one that it knows."""
    deployment = yaml.safe_load((EXAMPLES / "kubernetes" / "base" / "deployment.yaml").read_text(encoding="utf-8"))
    (container,) = containers(deployment)
    ecs_text = (EXAMPLES / "ecs" / "template.yaml").read_text(encoding="utf-8")
    unit = (EXAMPLES / "systemd" / "baseline.service").read_text(encoding="utf-8")
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    queue = (EXAMPLES / "kubernetes" / "queue" / "kustomization.yaml").read_text(encoding="utf-8")
    used = set(re.findall(r"--[a-z][a-z-]+", " ".join([*container["args"], start])))
    used |= set(re.findall(r"(?m)^ *- (?:!Sub )?(--[a-z][a-z-]+)", ecs_text))
    used |= set(re.findall(r"(?m)^ *- !If \[[A-Za-z]+, (?:!Sub \")?(--[a-z][a-z-]+)", ecs_text))
    used |= set(re.findall(r"(?m)^ *value: (--[a-z][a-z-]+)", queue))
    equal("flags of the queue that are looked at", {"--queue", "--hints", "--enforce"} - used, set())
    known = set(re.findall(r"--[a-z][a-z-]+", said(binary, "run", "--help")))
    equal("flags of the examples that `run` does not know", sorted(used - known), [])
    said(binary, "healthcheck", "--help")


def said(binary: Path, *arguments: str) -> str:
    return subprocess.run([str(binary), *arguments], check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Exits 0 when nothing is wrong with them."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    binary: Path = arguments.parse_args().binary.resolve(strict=True)
    try:
        for what, look in (
            ("examples/kubernetes", kubernetes),
            ("examples/ecs", ecs),
            ("examples/systemd", lambda: systemd(binary)),
            ("flags", lambda: flags(binary)),
        ):
            print(what, flush=True)
            look()
    except (Wrong, kubernetes_validate.ValidationError) as wrong:
        print(f"FAILED {wrong}", file=sys.stderr)
        return 1
    print("the examples can be taken as they are")
    return 0


if __name__ == "__main__":
    sys.exit(main())
