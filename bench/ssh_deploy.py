"""Measures ssh-deploy against a common hand-written script: time, round trips, and 20 hosts.

It runs against a real host of a test bed, over a slow connection.

The hand-written script stops the service, starts the new one and asks whether it answers.
ssh-deploy does the same after a candidate has answered, so it starts the image twice. drone-ssh,
which appleboy/ssh-action runs, takes part when the variable DRONE_SSH is its path. Its script is
the same as that of `bash -s`.

The 20 hosts are real sshds on loopback. Their Docker is a stand-in that only waits as long as
Docker would take, because 20 engines on one machine would measure the machine. The machine still
runs the shells and the key exchanges of 20 hosts. So the ratio is worse here than with 20 real
hosts.
"""

from __future__ import annotations

import itertools
import os
import re
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paired import ROOT, compare, read_rounds
from startup import BUDGET as START_BUDGET
from startup import ENVIRONMENT

ROUNDS = 7
# Before the imports of what only .venv has, so that --help prints help with any Python.
ASKED_ROUNDS = read_rounds(__doc__, ROUNDS) if __name__ == "__main__" else ROUNDS

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "actions" / "lib")]

from bed import Bed, Host, keys  # noqa: E402 - found in the folder of the tests
from bed.command import run  # noqa: E402
from bed.delay import delayed  # noqa: E402
from bed.deploys import Deploy  # noqa: E402
from bed.shop import PORT, TOKEN, Shop  # noqa: E402
from bed.step import StepResult, run_action  # noqa: E402
from local_sshd import USER, Sshd  # noqa: E402
from ship.runner.command import Secret  # noqa: E402 - found in the folder of the actions
from ship.ssh import Access, Target  # noqa: E402
from ship.ssh.config import Folder  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    # A contestant, and the milliseconds of a round trip or the number of hosts.
    Case = tuple[str, int]

WARM_UPS = 1
# Round trips in milliseconds. The last one is for counting them, because it is large against noise.
NEAR, FAR, COUNTING = 0, 50, 400
TRIPS_BUDGET = 4.0
HOSTS = 20
HOSTS_BUDGET = 2.0
# The label is ours, which replaces no container that another tool has made.
OURS = "--label io.github.gen-workflow.service=shop"
RUN = f"docker run -d --name shop {OURS} --restart unless-stopped -p {PORT}:{PORT} -v state:/state"
ASK = f"until curl -fs http://127.0.0.1:{PORT}/health; do sleep 0.1; done"
PASTED = ("docker pull -q {0}", "docker stop shop", "docker rm shop", f"{RUN} {{0}}", ASK)
IMAGE = "ghcr.io/acme/shop@sha256:" + "c" * 64
# The line of the log with which a phase begins.
PHASE = re.compile(r"^([a-z]+): ", re.MULTILINE)
# A file with content is a container. Everything except the wait needs no process.
STAND_IN = """\
#!/bin/sh
cd {folder} || exit
for last; do :; done
wait=0.03
case "$1 $2" in
  'pull '*) wait=1 ;;
  'create '*) while [ "$1" != --name ]; do shift; done; echo yes >"$2"; wait=0.2 ;;
  'start '*) wait=0.4 ;;
  'stop '*) wait=0.5 ;;
  'rm '*) [ ! -s "$last" ] || wait=0.1; : >"$last" ;;
  'rename '*) echo yes >"$3"; : >"$2" ;;
  'container inspect')
    [ -s "$last" ] || {{ sleep $wait; exit 1; }}
    case "$3 $4" in
      *RestartCount*) echo running 0 healthy ;;
      *State.Running*) echo true ;;
      *Config.Image*) echo {image} ;;
      *Labels*repository*) echo ;;
      *Labels*) echo shop ;;
    esac ;;
esac
exec sleep $wait
"""


class Line:
    """A host of a bed behind a slow connection, and the contestants that deploy to it."""

    def __init__(self, bed: Bed, port: int, images: Iterator[str]) -> None:
        self._host = bed.host
        self._port = port
        self._images = images
        self._folder = bed.work / f"line-{port}"
        self._folder.mkdir()
        self._known = keys.known_hosts(bed.host.folder, f"[127.0.0.1]:{port}")
        (self._folder / "known").write_text(self._known, encoding="utf-8")
        trust = ("-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self._folder / 'known'}")
        way = ("-i", str(bed.lease.root / "deploy"), "-p", str(port), f"{Host.user}@127.0.0.1")
        self._ssh = ("ssh", "-F", "none", *trust, *way)

    def contestants(self) -> dict[str, Callable[[], object]]:
        """Return the contestants. One whose program is missing does not take part."""
        drone = {"drone-ssh": self._drone_ssh} if os.environ.get("DRONE_SSH") else {}
        return {
            "ours": self.ours,
            "ssh for each line": self._an_ssh_for_each_line,
            "ssh bash -s": lambda: run(*self._ssh, "bash", "-s", input=self._script()),
            **drone,
            "ssh true": lambda: run(*self._ssh, "true"),
        }

    def ours(self) -> None:
        deploy = Deploy(self._host, self._folder)
        host = f"127.0.0.1:{self._port}"
        _check(deploy(next(self._images), host=host, known_hosts=self._known, env=""))

    def parts(self) -> dict[str, float]:
        """Return how many seconds each phase of a deploy of ours takes, and what is around them."""
        deploy = Deploy(self._host, self._folder)
        host, image = f"127.0.0.1:{self._port}", next(self._images)
        begun = {"start and connect": time.perf_counter()}
        step = deploy.start(image, host=host, known_hosts=self._known, env="")
        while step.process.poll() is None:
            for name in PHASE.findall(step.log()):
                begun.setdefault(name, time.perf_counter())
            time.sleep(0.002)
        ended = time.perf_counter()
        _check(step.result())
        ends = (*list(begun.values())[1:], ended)
        return {name: end - begin for (name, begin), end in zip(begun.items(), ends, strict=True)}

    def calls(self) -> int:
        """Return how often a deploy of ours starts the client of Docker on the host."""
        self._host.wrap_docker()
        self.ours()
        calls = len(self._host.docker_calls())
        self._host.unwrap_docker()
        return calls

    def _an_ssh_for_each_line(self) -> None:
        image = next(self._images)
        for line in PASTED:
            run(*self._ssh, line.format(image))

    def _drone_ssh(self) -> None:
        given = {
            "INPUT_HOST": "127.0.0.1",
            "INPUT_PORT": str(self._port),
            "INPUT_USERNAME": Host.user,
            "INPUT_KEY": self._host.private_key,
            "INPUT_SCRIPT": self._script(),
        }
        run(os.environ["DRONE_SSH"], env=given)

    def _script(self) -> str:
        return "\n".join(("set -e", *PASTED)).format(next(self._images))


def _check(step: StepResult) -> None:
    if step.code:
        raise SystemExit(f"ssh-deploy failed:\n{step.log}")


class Fleet:
    """Hosts with a stand-in for Docker, at `ports` of loopback, until the stack ends."""

    def __init__(self, folder: Path, number: int, stack: ExitStack) -> None:
        self._folder = folder
        keys.make_host_keys(folder)
        keys.make_ssh_key(folder / "user")
        hosts = [self._host(folder / f"h{each}") for each in range(number)]
        self.ports = [stack.enter_context(host).port for host in hosts]

    def _host(self, home: Path) -> Sshd:
        docker = home / "bin" / "docker"
        for folder in ("bin", "containers"):
            (home / folder).mkdir(parents=True)
        docker.write_text(STAND_IN.format(folder=home / "containers", image=IMAGE))
        docker.chmod(0o755)
        environment = f"HOME={home} PATH={home}/bin:/usr/bin:/bin"
        return Sshd(self._folder, self._folder / "user.pub", options={"SetEnv": environment})

    def deploy(self, *ports: int) -> None:
        """Deploy to the hosts at these ports, which may be ports of slow connections."""
        inputs = {
            "host": " ".join(f"127.0.0.1:{port}" for port in ports),
            "user": USER,
            "ssh-key": (self._folder / "user").read_text(encoding="utf-8"),
            "known-hosts": self._known_hosts(*ports),
            "image": IMAGE,
        }
        _check(run_action("ssh-deploy", inputs, workspace=self._folder))

    def connect(self, port: int) -> None:
        """Run nothing on a host, with all our options except those for the agent."""
        ours = Folder(str(self._folder / f"ours-{port}"))
        if not Path(ours.path).exists():
            Path(ours.path).mkdir()
            access = Access(Secret(""), Secret(""), known_hosts=self._known_hosts(port))
            ours.fill(access, [Target("127.0.0.1", USER, port)])
        key = ("-o", "IdentityAgent=none", "-i", str(self._folder / "user"))
        run("ssh", "-F", ours.config, *key, "-T", "target-0", "true")

    def _known_hosts(self, *ports: int) -> str:
        return keys.known_hosts(self._folder, *(f"[127.0.0.1]:{port}" for port in ports))


def take_turns(
    what: str, works: Mapping[Case, Callable[[], object]], rounds: int
) -> dict[Case, list[float]]:
    """Return the seconds of each contestant in each round. Every second round is reversed."""
    taken: dict[Case, list[float]] = {case: [] for case in works}
    began = os.getloadavg()[0]
    for turn in range(rounds + WARM_UPS):
        for case in list(works)[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            works[case]()
            if turn >= WARM_UPS:
                taken[case].append(time.perf_counter() - start)
    print(f"{what}: {rounds} rounds, load {began:.1f} to {os.getloadavg()[0]:.1f}")
    return taken


def compare_deploys(rounds: int) -> None:
    """Print how long a deploy to one host takes, for all contestants."""
    with Bed() as bed, ExitStack() as stack:
        shop = Shop(bed)
        images = itertools.cycle([shop.push("1"), shop.push("2")])
        login = ("docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin")
        bed.host.run(*login, input=TOKEN, user=Host.user)
        works: dict[Case, Callable[[], object]] = {}
        for trip in (FAR, NEAR):
            link = stack.enter_context(delayed(bed.host.ip, 22, milliseconds=trip / 2))
            line = Line(bed, link.port, images)
            works |= {(name, trip): work for name, work in line.contestants().items()}
        # After this, both images are pulled, and there is a previous container.
        line.ours()
        line.ours()
        taken = take_turns("one host", works, rounds)
        parts = [line.parts() for _ in range(rounds)]
        calls = line.calls()
    for name in line.contestants():
        near, far = (statistics.median(taken[name, trip]) for trip in (NEAR, FAR))
        print(f"  {name:18} {near:6.2f} s   with a round trip of {FAR} ms {far:6.2f} s")
    print(f"  ours starts the client of Docker {calls} times, and takes for its parts:")
    for name in parts[0]:
        print(f"    {name:18} {statistics.median(each.get(name, 0) for each in parts):6.2f} s")


def count_trips(rounds: int) -> int:
    """Print how many round trips we need after the connection. Return 1 over the budget.

    The stand-in for Docker always takes the same time. The fastest run of each counts, because it
    was least disturbed by other work of this machine.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        fleet = Fleet(Path(folder), 1, stack)
        works: dict[Case, Callable[[], object]] = {}
        for trip in (NEAR, COUNTING):
            link = delayed("127.0.0.1", fleet.ports[0], milliseconds=trip / 2)
            port = stack.enter_context(link).port
            works["ours", trip] = partial(fleet.deploy, port)
            works["ssh true", trip] = partial(fleet.connect, port)
        taken = take_turns(f"round trips, of {COUNTING} ms", works, rounds)
    ours, connecting = _trips(taken, "ours"), _trips(taken, "ssh true")
    each = [mine - other for mine, other in zip(ours, connecting, strict=True)]
    least = {case: [min(seconds)] for case, seconds in taken.items()}
    [in_all], [before] = _trips(least, "ours"), _trips(least, "ssh true")
    print(
        f"  {in_all:.1f}, of which {before:.1f} to connect: {in_all - before:.1f} after that "
        f"(within a round {min(each):.1f} to {max(each):.1f}), budget {TRIPS_BUDGET:.0f}"
    )
    return int(in_all - before > TRIPS_BUDGET)


def _trips(taken: Mapping[Case, list[float]], name: str) -> list[float]:
    pairs = zip(taken[name, COUNTING], taken[name, NEAR], strict=True)
    return [(far - near) * 1000 / COUNTING for far, near in pairs]


def compare_hosts(rounds: int) -> int:
    """Print how long many hosts take against one. Return 1 over the budget."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        fleet = Fleet(Path(folder), HOSTS, stack)
        works: dict[Case, Callable[[], object]] = {
            ("ours", number): partial(fleet.deploy, *fleet.ports[:number]) for number in (1, HOSTS)
        }
        taken = take_turns("hosts", works, rounds)
    ratios = [many / one for one, many in zip(*taken.values(), strict=True)]
    for (_, number), seconds in taken.items():
        print(f"  {number:2} with a stand-in for Docker {statistics.median(seconds):6.2f} s")
    ratio = statistics.median(ratios)
    print(f"  x {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), budget x {HOSTS_BUDGET}")
    return int(ratio > HOSTS_BUDGET)


def compare_start() -> int:
    """Print how long a dry run takes against an idle Python. Return 1 over the budget."""
    key = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
    inputs = (
        "INPUT_HOST=h1", "INPUT_USER=deploy", f"INPUT_SSH_KEY={key}",
        "INPUT_KNOWN_HOSTS=h1 ssh-ed25519 AAAA", f"INPUT_IMAGE={IMAGE}", "INPUT_PORTS=80:8080",
        "INPUT_HEALTH=/health", "INPUT_DRY_RUN=true",
    )  # fmt: skip
    python = (*ENVIRONMENT, *inputs, "/usr/bin/python3", "-I")
    step = (*python, "-u", str(ROOT / "actions" / "lib"), "ssh-deploy")
    idle = (*python, "-c", "pass")
    return compare({"python3 -I -c pass": idle, "ssh-deploy, dry run": step}, START_BUDGET)


def main() -> int:
    """Print the comparisons. Return 1 when one is over its budget."""
    rounds = ASKED_ROUNDS
    compare_deploys(rounds)
    return max(count_trips(rounds), compare_hosts(rounds), compare_start())


if __name__ == "__main__":
    sys.exit(main())
