#!/usr/bin/env python3
"""What the image would run, where no container engine is at hand.

    image_run.py [--binary target/debug/baseline]

The root that the Dockerfile's last stage makes: the program, the libraries that it is linked to, CA certificates, time
zones, /etc/passwd, and nothing else; no shell. It is mounted read-only but for /tmp, and the program is started in it by the
Dockerfile's own entry point and as its own user, without capabilities. moto's server is AWS.

version and help → documents validated, with a time zone in them → one turn of `run`, which tells a topic of what it found →
SIGTERM ends it with 0 → nothing was written but records and /tmp.

Needs to be root, for mounting; what is started is not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from moto_server import MANAGEMENT, MotoServer
from program import Wrong, equal

HERE = Path(__file__).parent
DOCKERFILE = HERE.parents[1] / "Dockerfile"
PATIENCE_SECONDS = 120
# What the base image brings besides libraries, by its own documentation (distroless/base).
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
ZONES = Path("usr/share/zoneinfo")
ZONE = "Europe/Berlin"
PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
TOPIC = f"arn:aws:sns:eu-west-1:{MANAGEMENT}:told"


class LastStage:
    """The last stage of the Dockerfile: what is copied into it, who runs it, and how."""

    def __init__(self, text: str) -> None:
        joined = text.replace("\\\n", " ")
        lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
        self.stages = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)])]
        last = self.stages[-1]
        self.base = last[0].split()[1]
        self.instructions = [line.split(maxsplit=1) for line in last[1:]]
        self.user = self._one("USER")
        self.entrypoint: list[str] = json.loads(self._one("ENTRYPOINT"))
        self.copied = {line.split()[-1] for word, line in self.instructions if word == "COPY"}
        self.volumes = {line for word, line in self.instructions if word == "VOLUME"}

    def _one(self, word: str) -> str:
        found = [rest for name, rest in self.instructions if name == word]
        if len(found) != 1:
            raise Wrong(f"the last stage says {word} {len(found)} times")
        return found[0]


def check(stage: LastStage) -> None:
    """What the issue asks of the image, as far as the file says it."""
    equal("the base is distroless and no root", stage.base, "gcr.io/distroless/cc-debian12:nonroot")
    equal("what is copied", stage.copied, {"/usr/local/bin/baseline"})
    equal("the entry point", stage.entrypoint, ["/usr/local/bin/baseline"])
    equal("what can be written", stage.volumes, {"/tmp"})
    if not re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", stage.user):
        raise Wrong(f"USER {stage.user} is no unprivileged number")
    if any(word == "RUN" for word, _ in stage.instructions):
        raise Wrong("there is no shell in the last stage that could run something")
    build = " ".join(stage.stages[0])
    for needed in ("--locked", "--release", "--no-default-features", "type=cache"):
        if needed not in build:
            raise Wrong(f"the build stage does not say {needed}")
    debian = {"bookworm": "12"}
    release = re.search(r"rust:[0-9.]+-slim-(\w+)", build)
    if release is None or not stage.base.startswith(f"gcr.io/distroless/cc-debian{debian.get(release[1])}"):
        raise Wrong("the glibc of the build is not that of the image")


def closure(binary: Path) -> set[Path]:
    """The libraries that the program is linked to, and its loader."""
    said = subprocess.run(["ldd", str(binary)], check=True, capture_output=True, text=True).stdout
    found = {Path(path) for path in re.findall(r"(/\S+)", said)}
    names = {re.sub(r"\.so.*", "", path.name) for path in found}
    # What distroless/cc has: anything else would not be found in the image.
    surplus = names - {"libc", "libm", "libgcc_s", "libdl", "libpthread", "librt", "ld-linux-x86-64", "ld-linux-aarch64"}
    if surplus:
        raise Wrong(f"the program is linked to {sorted(surplus)}, which the image does not have")
    return found


def make_root(root: Path, binary: Path, entrypoint: str) -> None:
    """The image's files; those that distroless brings are this machine's."""
    for library in closure(binary):
        place(library, root / library.relative_to("/"))
    place(binary, root / entrypoint.lstrip("/"))
    place(Path("/") / CERTIFICATES, root / CERTIFICATES)
    for zone in (ZONE, "UTC"):
        place(Path("/") / ZONES / zone, root / ZONES / zone)
    (root / "etc" / "passwd").write_text(PASSWD, encoding="utf-8")
    for folder in ("tmp", "dev", "proc", "desired-state", "records"):
        (root / folder).mkdir()
    for path in root.rglob("*"):
        if path.name in {"sh", "bash", "busybox"}:
            raise Wrong(f"there is a shell: {path}")


def place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source.resolve(strict=True), target)


# In a mount namespace of its own, which ends with the program. `chroot` gives up what it was root for.
START = """
set -eu
root=$1 documents=$2 records=$3 user=$4; shift 4
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs "$root/tmp"
mount --bind "$documents" "$root/desired-state" && mount -o remount,bind,ro "$root/desired-state"
mount --bind "$records" "$root/records"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null urandom random; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,ro "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all \\
    chroot --userspec="$user" --groups="${user#*:}" "$root" "$@"
"""


class Image:
    """The root, started as a container engine would."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.stage = LastStage(DOCKERFILE.read_text(encoding="utf-8"))
        check(self.stage)
        self.root, self.documents, self.records = folder / "root", folder / "desired-state", folder / "records"
        for path in (self.root, self.documents, self.records):
            path.mkdir()
        folder.chmod(0o755)
        make_root(self.root, binary, self.stage.entrypoint[0])
        user, group = (int(part) for part in self.stage.user.split(":"))
        os.chown(self.records, user, group)
        self.records.chmod(0o700)
        self.before = listing(self.root)

    def start(self, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
        # Nothing of this process's environment but what AWS is reached by.
        kept = {name: value for name, value in environment.items() if name.startswith("AWS_")}
        places = [str(self.root), str(self.documents), str(self.records), self.stage.user]
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", START, "start", *places]
        return subprocess.Popen(
            [*command, *self.stage.entrypoint, *arguments],
            env={"PATH": os.environ["PATH"], **kept},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, environment: dict[str, str], *arguments: str, exits: int) -> str:
        """What it says, on both streams."""
        process = self.start(environment, *arguments)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        print(f"  baseline {' '.join(arguments)}: exit {process.returncode}", flush=True)
        if process.returncode != exits:
            raise Wrong(f"expected exit {exits}, not {process.returncode}\n{out}\n{err}")
        return out + err


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Every file of the root itself, with size and time."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in root.rglob("*")
        if stat.S_ISREG(path.lstat().st_mode)
    }


def documents() -> str:
    return f"""\
apiVersion: baseline/v1
kind: Organization
metadata: {{name: imaged}}
spec:
  regions: {{home: eu-west-1, managed: [eu-west-1]}}
  audit: /records
  baselines:
  - use: recommended
  guards:
    windows:
      open:
      - {{days: [Mon], from: "22:00", to: "02:00", timeZone: {ZONE}}}
  notifications:
  - name: pager
    kind: sns
    topic: {TOPIC}
    events: [drift]
---
apiVersion: baseline/v1
kind: Baseline
metadata: {{name: recommended}}
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
---
apiVersion: baseline/v1
kind: Account
metadata: {{name: imaged}}
spec:
  id: "{MANAGEMENT}"
"""


def story(image: Image) -> None:
    """Everything in the image; raises `Wrong` at the first thing that is not as it should be."""
    with MotoServer(corrected=True) as moto:
        aws = moto.environment()
        print("it starts, and says who it is")
        said = image.run(aws, "--version", exits=0)
        if not re.fullmatch(r"baseline \d+\.\d+\.\d+\n", said):
            raise Wrong(f"it says {said!r}")

        print("documents are read from a folder that cannot be written to, with a time zone in them")
        (image.documents / "all.yaml").write_text(documents(), encoding="utf-8")
        image.run(aws, "validate", "-f", "/desired-state", exits=0)

        print("what could be written over is not there, and cannot be made")
        image.run(aws, "init", "--account-id", MANAGEMENT, "--region", "eu-west-1", "/somewhere", exits=1)

        print("one message tries the topic")
        queue = topic_into_queue(moto)
        image.run(aws, "notifications", "test", "-f", "/desired-state", exits=0)
        equal("the subject of the test", message(moto, queue)["Subject"], "baseline imaged: a test, nothing has happened")

        print("`run` looks, tells, and ends when it is told to")
        one_turn(image, moto, aws, queue)
    equal("files of the root", listing(image.root), image.before)


def topic_into_queue(moto: MotoServer) -> str:
    sns, sqs = moto.client("sns"), moto.client("sqs")
    equal("the topic", sns.create_topic(Name="told")["TopicArn"], TOPIC)
    url: str = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
    return url


def message(moto: MotoServer, queue: str) -> dict[str, str]:
    """The next message of the topic, taken out of the queue."""
    sqs = moto.client("sqs")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for one in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            told: dict[str, str] = json.loads(one["Body"])
            return told
    raise Wrong("nothing was told")


def one_turn(image: Image, moto: MotoServer, aws: dict[str, str], queue: str) -> None:
    process = image.start(aws, "run", "-f", "/desired-state")
    try:
        told = message(moto, queue)
        equal("who runs it", owner_of(process.pid), int(image.stage.user.split(":")[0]))
        equal("what it may do beyond that", status(process.pid, "CapEff"), "0" * 16)
        equal("may it become more?", status(process.pid, "NoNewPrivs"), "1")
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    print(f"  baseline run -f /desired-state: exit {process.returncode}", flush=True)
    equal("the exit code after SIGTERM", process.returncode, 0)
    equal("the subject", told["Subject"], "baseline imaged: 1 drift in imaged")
    if "iam.password-policy" not in told["Message"]:
        raise Wrong(f"the message does not say what has drifted:\n{told['Message']}")
    lines = [json.loads(line) for line in err.splitlines()]
    words = [line["message"] for line in lines]
    for needed in ("started", "reconciled", "told", "stopped"):
        if needed not in words:
            raise Wrong(f"it does not say `{needed}`:\n{err}")
    equal("stdout", out, "")
    kept = {str(path.relative_to(image.records)) for path in image.records.rglob("*.json")}
    for needed in (f"conditions/{MANAGEMENT}.json", f"notifications/{MANAGEMENT}.json", "controller.json"):
        if needed not in kept:
            raise Wrong(f"{needed} is not among the records: {sorted(kept)}")


def owner_of(pid: int) -> int:
    return int(status(pid, "Uid").split()[1])


def status(pid: int, field: str) -> str:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(f"{field}:"))


def main() -> int:
    """Exits 0 when all went as it should."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    binary: Path = arguments.parse_args().binary.resolve(strict=True)
    if os.geteuid() != 0:
        print("this has to be root, to mount what the program runs in", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="baseline-image-") as folder:
        try:
            story(Image(Path(folder), binary))
        except Wrong as wrong:
            print(f"FAILED {wrong}", file=sys.stderr)
            return 1
    print("the image would run: unprivileged, read-only, without a shell")
    return 0


if __name__ == "__main__":
    sys.exit(main())
