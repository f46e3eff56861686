"""Makes the environment that the launcher runs in: `first_use.py CHECKOUT [ENVIRONMENT]`.

Standard library only, because nothing else is there yet. Uses uv where it is installed, else venv
and pip; both check every download against the hashes of requirements.txt. Uses at the same time
wait for one another at a file, whose lock ends with the process that holds it.

`first_use.py --place CHECKOUT` prints where the environment of the action is.

A failure ends with 4, which no verb does: nothing is said about the spec then.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_PROBE = "import github, jinja2, ruamel.yaml"
_MODERN = "import sys; sys.exit(sys.version_info < (3, 10))"
_LAST_LINES = 12
_CANNOT_START = 4
_NO_PACKAGES = """\
gen-workflow: nothing was done, and the spec was not read, because packages cannot be installed:
{said}
  hint: the first use needs the package index {index}; check network and proxy, then run it again
see: {page}#packages-that-cannot-be-installed"""
_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
# As `errors` has it, which this file cannot import.
_ERRORS = "https://github.com/gen-workflow/gen-workflow/blob/main/docs/errors.md"
_SEE = f"\nsee: {_ERRORS}#gen-workflow-cannot-start"
_NO_VENV = (
    "gen-workflow: nothing was done, because this Python cannot make environments: "
    "its module ensurepip is missing\n"
    "  hint: apt-get install python3-venv, or install uv"
)
_READ_ONLY = (
    "gen-workflow: nothing was done, because this user may not write in {0}, where it makes its "
    "environment\n"
    "  hint: copy the checkout to a folder of yours, let its owner run it once, or install it: "
    "pip install {0}"
)


class Failed(Exception):  # noqa: N818 - named after what happened
    """A program failed; the message is what it said last."""


def place(checkout: Path) -> Path:
    """Return where the action has its environment: in the folder that runners keep between jobs.

    A runner makes the checkout of an action anew for each job. There is one environment for each
    Python and each set of packages, because container jobs share the folder with others.
    """
    kept = os.environ.get("RUNNER_TOOL_CACHE", "")
    home = Path(kept, "gen-workflow")
    # A job in a container may have made it as another user.
    if not kept or not os.access(home if home.exists() else kept, os.W_OK):
        return checkout / ".venv"
    parts = (sys.version, os.path.realpath(sys.executable), os.path.realpath(kept))
    key = hashlib.sha256("\n".join(parts).encode())
    key.update((checkout / "requirements.txt").read_bytes())
    return home / key.hexdigest()[:16]


def main(checkout: Path, environment: Path) -> int:
    """Make the environment of a checkout whole; return an exit code."""
    lock = checkout / "requirements.txt"
    done = environment / "gen-workflow.lock"
    try:
        with _guard(environment, lock).open("rb") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if _is_whole(environment, lock, done):
                return 0  # another process was first
            return _make(environment, lock, done)
    except KeyboardInterrupt:
        print("gen-workflow: interrupted; the next run starts from the beginning", file=sys.stderr)
        return 130
    except Failed as error:
        print(_NO_PACKAGES.format(said=error, index=_index(), page=_ERRORS), file=sys.stderr)
    except OSError as error:
        what = f"nothing was done, because there is no environment in {environment}: {error}"
        print(f"gen-workflow: {what}{_SEE}", file=sys.stderr)
    return _CANNOT_START


def _guard(environment: Path, lock: Path) -> Path:
    """Return the file at which uses of one environment wait for one another."""
    if environment.parent == lock.parent:
        return lock
    environment.parent.mkdir(parents=True, exist_ok=True)
    guard = environment.with_name(f"{environment.name}.guard")
    guard.touch()
    return guard


def _index() -> str:
    """Return the package index without a login that its address may hold."""
    named = next((os.environ[name] for name in _INDEX if os.environ.get(name)), "")
    return named.rpartition("@")[2] or "https://pypi.org"


def _is_whole(environment: Path, lock: Path, done: Path) -> bool:
    return done.exists() and done.read_bytes() == lock.read_bytes() and _works(environment)


def _make(environment: Path, lock: Path, done: Path) -> int:
    if not os.access(environment.parent, os.W_OK):
        print(_READ_ONLY.format(environment.parent) + _SEE, file=sys.stderr)
        return _CANNOT_START
    uv = shutil.which("uv")
    if uv is None and not _has_ensurepip():
        print(_NO_VENV + _SEE, file=sys.stderr)
        return _CANNOT_START
    print(f"gen-workflow: first use: making its environment in {environment}", file=sys.stderr)
    if not _works(environment):
        shutil.rmtree(environment, ignore_errors=True)
    _fill(environment, lock, uv)
    draft = done.with_suffix(f".{os.getpid()}")
    shutil.copyfile(lock, draft)
    draft.replace(done)
    return 0


def _has_ensurepip() -> bool:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian takes it out of its Python
    except ImportError:
        return False
    return True


def _works(environment: Path) -> bool:
    try:
        _run(str(environment / "bin/python"), "-I", "-c", _MODERN)
    except (Failed, OSError):
        return False
    return True


def _fill(environment: Path, lock: Path, uv: str | None) -> None:
    python = str(environment / "bin/python")
    if uv:
        if not Path(python).exists():
            _run(uv, "venv", "--quiet", "--python", sys.executable, str(environment))
        install: tuple[str, ...] = (uv, "pip", "install", "--quiet", "--python", python)
        again = "--reinstall"
    else:
        if not Path(python).exists() or not _has_pip(python):
            _run(sys.executable, "-I", "-m", "venv", str(environment))
        install = (python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        again = "--force-reinstall"
    exact = ("--require-hashes", "--requirement", str(lock))
    _run(*install, *exact)
    try:
        _run(python, "-I", "-c", _PROBE)
    except Failed:  # an installation was cut short in a way that looks whole to the installer
        _run(*install, again, *exact)
        _run(python, "-I", "-c", _PROBE)


def _has_pip(python: str) -> bool:
    try:
        _run(python, "-I", "-c", "import pip")
    except Failed:
        return False
    return True


def _run(*argv: str) -> None:
    """Run a program silently; raises Failed with the last it said when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:]
        raise Failed("\n".join(f"  {line}" for line in said) or f"  {argv[0]} failed")


if __name__ == "__main__":
    first, *others = sys.argv[1:]
    if first == "--place":
        print(place(Path(others[0])))
        sys.exit()
    sys.exit(main(Path(first), Path(others[0]) if others else Path(first, ".venv")))
