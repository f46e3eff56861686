"""A host without SSH: the real bootstrap and scripts of a deploy, and a stand-in for Docker."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS, wait_until
from ship.runner.command import Secret
from ship.runner.context import Context
from ship.ssh import Access, Target
from ship.ssh.bootstrap import command, first
from ship.ssh_deploy.common import Common
from ship.ssh_deploy.image import Login
from ship.ssh_deploy.program import Program, call
from ship.ssh_deploy.run.inputs import RunForm
from ship.ssh_deploy.run.plan import plan_run

if TYPE_CHECKING:
    from pathlib import Path

# The shells that a host may have as `sh`: one in `make test`, the others in `make test-all`.
DASH_FIRST = (
    "dash",
    pytest.param("bash", marks=pytest.mark.test_all),
    pytest.param("busybox", marks=pytest.mark.test_all),
)
# A line for each pull: the image, and the registry of our login where that was used; and one
# in `holders` for each command that got the descriptor of our lock.
PULLS = """[ "$1" != pull ] ||
  echo "$3 $(cut -d '"' -f 4 "$DOCKER_CONFIG/config.json" 2>/dev/null)" >>pulls
[ ! -e /proc/$$/fd/9 ] || echo "$*" >>holders"""
# Containers are files that hold `running` or `stopped`. A command that begins with the text of the
# file `slow` takes a second. If there is a file `users`, it also waits until the app has refused a
# request. One that begins with the text of `broken` fails. One that begins with the text of
# `ignores-term` ignores SIGTERM until there is a file `listens`. One that begins with the text of
# `repairs` ends the effect of `broken`. `foreign` names a container that we did not make. `policy`
# holds the restart policies, which decide what starts with the host.
DOCKER = """#!/bin/sh
cd {folder}
echo "$*" >>calls
{pulls}
read -r slow <slow; read -r ignores_term <ignores-term
case "$*" in "$slow"*)
  echo never >slow
  rm -f refused
  : >reached
  sleep 1
  [ ! -e users ] || until [ -e refused ]; do sleep 0.05; done ;;
esac
case "$*" in "$ignores_term"*)
  : >reached
  trap '' TERM
  until [ -e listens ]; do sleep 0.1; done
  exit 1 ;;
esac
[ ! -e repairs ] || case "$*" in "$(cat repairs)"*) echo never >broken ;; esac
read -r broken <broken
[ ! -e whole ] || [ "$*" != "$broken" ] || exit 1
[ -e whole ] || case "$*" in "$broken"*) echo 'it is broken' >&2; exit 1 ;; esac
case "$1 $2" in
  'container inspect')
    for last; do :; done
    [ -e "box/$last" ] || {{ echo; exit 1; }}
    case "$*" in
      *define*)
        echo "$(docker container inspect Config.Image "$last") sha256:$last"
        printf '%s\\n' '{{"Env":["A=b"]}}' '{{"NetworkMode":"net"}}' '' '"state:/state",' \\
          '"net":{{}}' 'net net2' '/networks/net2/connect {{"Container":"app"}}' ;;
      *'={{{{.Name}}}}'*)
        printf '=%s\n' "/$(cat real-name 2>/dev/null || echo "$last")" "id-of-$last" \
          "$(cat "image-of-$last" 2>/dev/null || echo ghcr.io/acme/app:1)" \
          "$([ "$(cat foreign)" = "$last" ] || echo app)" "$(cat repository 2>/dev/null)" \
          "$(cat environment 2>/dev/null)" "$(cat published 2>/dev/null)" \
          "$(cat route 2>/dev/null)" ;;
      *'println $name $value'*) cat labels 2>/dev/null ;;
      *'$value := .NetworkSettings'*) cat networks 2>/dev/null ;;
      *'json .'*) cat env 2>/dev/null ;;
      *'range .Mounts'*) cat mounts 2>/dev/null ;;
      *'$port, $all'*) cat bindings 2>/dev/null ;;
      *AutoRemove*)
        echo "false $(docker container inspect State.Running "$last")" \\
          "$(cat "image-of-$last" 2>/dev/null || echo image)" ;;
      *State.Running*RestartPolicy*)
        echo "$(sed 's/running/true/' "box/$last") $(cat "policy/$last")" ;;
      *State.Running*) [ "$(cat "box/$last")" = running ] && echo true || echo false ;;
      *RestartCount*.State.Health*)
        echo "$(sed 's/stopped/exited/' "box/$last") 0 $(cat health 2>/dev/null || echo healthy)" ;;
      *State.Status*State.Health*)
        echo "$(sed 's/stopped/exited/' "box/$last") $(cat health 2>/dev/null || echo healthy)" ;;
      *State.Health*) [ "$(cat health 2>/dev/null)" = none ] || echo asked ;;
      *RestartCount*) echo "$(sed 's/stopped/exited/' "box/$last") 0 none" ;;
      *State.Status*) sed 's/stopped/created/' "box/$last" ;;
      *Config.Image*) cat "image-of-$last" 2>/dev/null || echo "image-of-$last" ;;
      *.Image*) echo "sha256:$last" ;;
      *.Id*) echo "id-of-$last" ;;
      *Labels*service*) [ "$(cat foreign)" = "$last" ] || echo app ;;
      *Labels*published*) cat proxied 2>/dev/null || echo 80:80 ;;
      *Labels*repository*) cat "{folder}/repository" 2>/dev/null ;;
      *Labels*route*) cat "{folder}/route" 2>/dev/null ;;
      *Labels*release*) cat "{folder}/release" 2>/dev/null ;;
    esac ;;
  'ps -a') ls box ;;
  'ps --filter') cat holder 2>/dev/null ;;
  'port '*) cat ports 2>/dev/null || echo 127.0.0.1:1 ;;
  'exec gen-workflow-proxy')
    case "$4" in
      deploy) echo "$*" | sed 's/.*--target=\\([^: ]*\\).*/\\1/' >target ;;
      list) [ ! -e target ] || echo "app any / $(cat target):80" ;;
    esac ;;
  'image inspect')
    case "$*" in
      *RepoDigests*) echo image@sha256:1 ;;
      *Size*) echo 1000 ;;
      *'json .'*) cat env-of-image 2>/dev/null ;;
      *) exit 1 ;;
    esac ;;
  'create '*) all=" $* "; shift; while [ "$1" != --name ]; do shift; done
    [ ! -e "being-made-$2" ] || {{
      rm "being-made-$2"
      (sleep 0.5; echo stopped >"box/$2") >/dev/null 2>&1 </dev/null &
      echo 'Conflict. The container name is already in use' >&2
      exit 1
    }}
    [ ! -e "box/$2" ] || {{ echo 'Conflict' >&2; exit 1; }}
    all=${{all##* --restart }}
    echo "${{all%% *}}" >"policy/$2"
    echo stopped >"box/$2" ;;
  'update --restart='*) [ ! -e "box/$3" ] || echo "${{2#*=}}" >"policy/$3" ;;
  'start '*) for last; do :; done; [ -e "box/$last" ] && echo running >"box/$last" ;;
  'exec '*) exec sh -c "$5" ;;
  'stop '*) for last; do :; done; [ -e "box/$last" ] && echo stopped >"box/$last" ;;
  'network inspect')
    for last; do :; done
    case "$*" in *CheckDuplicate*) printf '/networks/create {{"Name":"%s"}}\\n' "$last" ;; esac ;;
  'system dial-stdio')
    read -r _ path _; while read -r word length && [ "$word" != "$(printf '\\r')" ]; do
      case $word in Content-Length:) size=$(printf %s "$length" | tr -d '\\r') ;; esac
    done
    echo "$path $(dd bs=1 count="$size" 2>/dev/null)" >>requests
    case $path in
      */containers/create*)
        [ ! -e refuses ] || {{ printf 'HTTP/1.1 409 Conflict\\r\\n\\r\\nno'; exit; }}
        echo stopped >"box/${{path##*name=}}" ;;
    esac
    printf 'HTTP/1.1 201 Created\\r\\n\\r\\n{{}}\\n' ;;
  'rename '*) mv "box/$2" "box/$3" && {{ mv "policy/$2" "policy/$3" 2>/dev/null || :; }} ;;
  'rm '*) for last; do :; done; rm -f "box/$last" ;;
esac
"""
# The system clock of the host, which is so many seconds ahead as the file `ahead` says.
CLOCK = """#!/bin/sh
exec /bin/date -d "@$(($(/bin/date +%s) + $(cat {folder}/ahead)))" "$@"
"""
SNAP = """
case "$* ${{DOCKER_CONFIG:-}} $PWD $(readlink /proc/$$/fd/1 /proc/$$/fd/2)" in
  *{home}/.*) echo 'permission denied' >&2; exit 1 ;;
esac
"""
IMAGE = "ghcr.io/acme/app@sha256:" + "c" * 64
COMMON = Common(
    targets=(Target("h1", "deploy"),),
    access=Access(Secret("key"), Secret("")),
    name="app",
    max_parallel="",
    lock_timeout=120,
    lock_expiry=60,
    dry_run=False,
)
WANTED = RunForm(
    image=IMAGE,
    repository="ghcr.io/acme/app",
    rollback="",
    login=Login("ghcr.io", "me", Secret("t0ken")),
    ports=(),
    env={},
    secret_files={},
    volumes=(),
    networks=(),
    labels={},
    options=(),
    command=(),
    restart="unless-stopped",
    health="",
    health_command="",
    health_timeout=120,
    stop_timeout=1,
    keep=3,
    before=(),
    after=(),
)
ACME = Context(repository="Acme/App", sha="0123abc", run_id="42", actor="octocat")
PROGRAM = plan_run(COMMON, WANTED, ACME)
PHASES = tuple(phase.name for phase in PROGRAM.phases)


class ScriptHost:
    """A host whose Docker is a stand-in, in a folder; `app` runs there."""

    def __init__(self, folder: Path, shell: str = "dash") -> None:
        self.folder = folder
        self._shell = shell
        self.home = str(folder / "home")
        self.path = str(folder / "bin")
        # Functions of the shell that stand in for programs.
        self.functions = ""
        for name in ("box", "policy", "home", "bin"):
            (folder / name).mkdir()
        (folder / "bin" / "docker").write_text(DOCKER.format(folder=folder, pulls=PULLS))
        (folder / "bin" / "docker").chmod(0o755)
        target = {"dash": "/bin/dash", "bash": "/bin/bash", "busybox": "/bin/busybox"}[shell]
        (folder / "bin" / "sh").symlink_to(target)
        (folder / "box" / "app").write_text("running\n")
        self.make("policy/app", "unless-stopped\n")
        self.make("slow", "never")
        self.make("broken", "never")
        self.make("ignores-term", "never")
        self.make("foreign", "")

    def make(self, name: str, text: str) -> None:
        """Write a file of the stand-in."""
        (self.folder / name).write_text(text)

    @property
    def boxes(self) -> dict[str, str]:
        return {p.name: p.read_text().strip() for p in sorted((self.folder / "box").iterdir())}

    @property
    def policies(self) -> dict[str, str]:
        """The restart policies of the containers that are there."""
        return {name: (self.folder / "policy" / name).read_text().strip() for name in self.boxes}

    @property
    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def pulls(self) -> list[str]:
        return [line.strip() for line in (self.folder / "pulls").read_text().splitlines()]

    @property
    def requests(self) -> list[str]:
        """What the engine was asked without a command, as the path and the body."""
        requests = self.folder / "requests"
        return requests.read_text().splitlines() if requests.exists() else []

    @property
    def holders(self) -> list[str]:
        """The commands that got the descriptor of our lock."""
        holders = self.folder / "holders"
        return holders.read_text().splitlines() if holders.exists() else []

    @property
    def state(self) -> Path:
        return self.folder / "home" / ".gen-workflow" / "app"

    def start(self, program: Program = PROGRAM) -> subprocess.Popen[bytes]:
        """Log in and define everything; nothing runs yet."""
        process = subprocess.Popen(
            ("sh", "-c", command("word")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": f"{self.path}:/usr/bin:/bin", "HOME": self.home},
            start_new_session=True,
        )
        say(process, first(program.preamble("m"), "word"))
        say(process, Secret(program.sent_with([phase.name for phase in program.phases])))
        say(process, Secret(self.functions))
        return process

    def run(self, *phases: str, program: Program = PROGRAM) -> list[str]:
        """Run phases to their end; returns the facts."""
        process = self.start(program)
        say(process, call(*phases))
        facts = listen(process, "ship-gone")
        process.communicate(timeout=PATIENCE_SECONDS)
        return facts

    def restart(self) -> list[str]:
        """Start what starts with the host; return its names.

        Those that a person stopped only start when their policy is `always`, and those that never
        ran not at all.
        """
        for name, state in self.boxes.items():
            starts = {"running": ("always", "unless-stopped"), "stopped": ("always",)}
            runs = self.policies[name] in starts[state]
            self.make(f"box/{name}", "running" if runs else "stopped")
        return [name for name, state in self.boxes.items() if state == "running"]

    def make_each_look_at_the_clock_take_a_second(self) -> None:
        """Let a deploy find the next second whenever it reads the clock."""
        look = f"echo >>{self.folder}/looks; uptime=$(wc -l <{self.folder}/looks).00"
        self.functions += (
            f"read() {{ [ \"$*\" != '-r uptime _' ] || {{ {look}; return; }}; "
            'command read "$@"; }\n'
        )

    def install_docker_as_snap(self) -> None:
        """Make the stand-in a snap: it can use nothing below a hidden folder of the home."""
        programs = self.folder / "snap" / "bin"
        programs.mkdir(parents=True)
        docker = self.folder / "bin" / "docker"
        docker.write_text(docker.read_text().replace("\n", SNAP.format(home=self.home), 1))
        docker.rename(programs / "docker")
        self.path += f":{programs}"

    def set_clock_ahead(self, days: float) -> None:
        """Set the system clock of the host, also while a deploy runs there."""
        self.make("ahead", str(int(days * 86400)))
        date = self.folder / "bin" / "date"
        if not date.exists():
            date.write_text(CLOCK.format(folder=self.folder))
            date.chmod(0o755)

    def await_reached(self) -> None:
        """Wait until the slow command runs."""
        wait_until(
            (self.folder / "reached").exists, "the slow command runs", seen=lambda: self.calls
        )


def say(process: subprocess.Popen[bytes], text: Secret) -> None:
    assert process.stdin
    process.stdin.write(text.reveal().encode())
    process.stdin.flush()


def cut(process: subprocess.Popen[bytes]) -> None:
    """Die as a client does: nothing reads the output any more, so a write to it is a signal."""
    for pipe in (process.stdout, process.stderr, process.stdin):
        assert pipe
        pipe.close()
    process.wait(timeout=PATIENCE_SECONDS)


def listen(process: subprocess.Popen[bytes], until: str) -> list[str]:
    """Return the facts up to the one that begins so."""
    assert process.stdout
    facts = [""]
    while not facts[-1].startswith(until):
        raw = process.stdout.readline()
        assert raw, facts
        facts.append(raw.decode().rstrip().removeprefix("m "))
    return facts[1:]
