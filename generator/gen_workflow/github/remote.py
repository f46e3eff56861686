"""Finds the repository on GitHub that a folder belongs to."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.spec.values import is_branch

PUBLIC_API = "https://api.github.com"
SLUG = r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+"
_SCP = re.compile(r"(?:[^/@]+@)?(?P<host>[^/:@]+):(?P<path>[^:]+)")
_PUBLIC_HOSTS = ("github.com", "www.github.com", "ssh.github.com")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME_IT = "name the repository with --repo OWNER/NAME"


@dataclass(frozen=True)
class Remote:
    """A repository as OWNER/NAME, and the base URL of the API that knows it."""

    slug: str
    api: str


def find(folder: str, *, slug: str, api: str) -> Remote:
    """Return the repository that `slug` names, else the one that `origin` of the folder names.

    Raises UserError when it is unknown, or when the token would go to a host that may not have it.
    """
    _demand_top(folder)
    if slug:
        return Remote(_checked_slug(slug, "--repo"), _checked_api(api or PUBLIC_API))
    host, path = _split(_git(folder, "remote", "get-url", "origin"))
    slug = _checked_slug(path.strip("/").removesuffix(".git"), "the remote origin")
    if not api:
        return Remote(slug, _api_of(host))
    api = _checked_api(api)
    if not _fits(host, urlsplit(api).hostname or ""):
        hint = f"set GITHUB_API_URL to the API of {host}; {_NAME_IT} when it is on {api}"
        what = f"{host} is not the GitHub of {api}"
        raise UserError(what, where="the remote origin", hint=hint, anchor=Heading.REPOSITORY)
    return Remote(slug, api)


def has_commits(folder: str) -> bool:
    """Tell whether a folder is the top of a repository of git that has a commit."""
    try:
        return _run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD").returncode == 0
    except FileNotFoundError:
        return False


def check_api(url: str) -> str:
    """Return the base URL of an API, that of github.com for an empty one.

    Raises UserError when a token must not be sent there.
    """
    return _checked_api(url or PUBLIC_API)


def check_branch(name: str, option: str) -> str:
    """Return the name of a branch; raises UserError when git would refuse it."""
    if not is_branch(name):
        hint = (
            "give a name such as gen-workflow/update; "
            "git's rules for names are in `git help check-ref-format`"
        )
        what = f"{name!r} is not a name of a branch"
        raise UserError(what, where=option, hint=hint, anchor=Heading.BRANCH)
    return name


def _checked_slug(slug: str, where: str) -> str:
    if not re.fullmatch(SLUG, slug):
        what = f"{slug!r} is not OWNER/NAME"
        raise UserError(what, where=where, hint=_NAME_IT, anchor=Heading.REPOSITORY)
    return slug


def _checked_api(url: str) -> str:
    """Return the URL without a slash at its end; a token is never sent unencrypted."""
    parts = _parts(url)
    local = parts and parts.scheme == "http" and parts.hostname in _LOOPBACK
    secure = parts and parts.scheme == "https" and parts.hostname
    plain = url.isprintable() and not set("@?# ") & set(url)
    if parts is None or not (secure or local) or not plain:
        hint = "give https://HOST/api/v3 of a GitHub Enterprise Server; github.com needs none"
        shown = url.rpartition("@")[2]
        what = f"{shown!r} is not an https URL of an API"
        raise UserError(what, where="API URL", hint=hint, anchor=Heading.API)
    if right := _meant(parts):
        hint = f"give {right}"
        what = f"{url!r} is not an address of an API"
        raise UserError(what, where="API URL", hint=hint, anchor=Heading.API)
    return url.rstrip("/")


def _meant(parts: SplitResult) -> str:
    """Return the address that is meant by one that is known to be wrong; empty for any other."""
    host, path = parts.hostname or "", parts.path.strip("/")
    if host in _PUBLIC_HOSTS or (host == urlsplit(PUBLIC_API).hostname and path):
        return f"{PUBLIC_API}, which needs no option and no variable"
    if host.endswith(".ghe.com") and not host.startswith("api."):
        return f"https://api.{host}"
    return f"https://{parts.netloc}/api/v3" if path.split("/")[-1] == "graphql" else ""


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL, None when the text is not one."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a wrong port, which urlsplit does not look at
        _ = (parts.hostname or "").encode("idna")  # raises for a name that no host can have
    except ValueError:
        return None
    return parts


def _demand_top(folder: str) -> None:
    """Raise UserError for a folder below the top of its repository: its paths would be wrong."""
    try:
        ran = _run_git(folder, "rev-parse", "--show-prefix")
    except FileNotFoundError:
        return
    if below := ran.stdout.strip():
        hint = "give the top of the repository with -C"
        what = f"is not the top of its repository, but its folder {shown(below)}"
        raise UserError(what, where=shown(folder), hint=hint, anchor=Heading.REPOSITORY)


def _run_git(folder: str, *argv: str) -> subprocess.CompletedProcess[str]:
    command = ("git", "-C", folder, *argv)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _git(folder: str, *argv: str) -> str:
    """Return what git says about a folder."""
    try:
        ran = _run_git(folder, *argv)
    except FileNotFoundError:
        what = "git is not installed, so origin is unknown"
        raise UserError(what, hint=_NAME_IT, anchor=Heading.REPOSITORY) from None
    if ran.returncode:
        said = ran.stderr.partition("\n")[0].removeprefix("fatal: ").removeprefix("error: ")
        what = f"the repository has no remote `origin` that git knows: {said}"
        raise UserError(what, where=shown(folder), hint=_NAME_IT, anchor=Heading.REPOSITORY)
    return ran.stdout.strip()


def _split(url: str) -> tuple[str, str]:
    """Return host and path of what `git remote get-url` prints."""
    parts = _parts(url)
    if parts and parts.scheme in ("https", "http", "ssh", "git", "git+ssh") and parts.hostname:
        return parts.hostname, parts.path
    if "://" not in url and (found := _SCP.fullmatch(url)):
        return found["host"].lower(), found["path"]
    shown = url.rpartition("@")[2]  # what is before it may be a password
    what = f"{shown!r} is not a repository on GitHub"
    raise UserError(what, where="the remote origin", hint=_NAME_IT, anchor=Heading.REPOSITORY)


def _fits(host: str, api: str) -> bool:
    """Whether a host of repositories belongs to a host of an API."""
    if host in _PUBLIC_HOSTS:
        return api == "api.github.com" or api in _LOOPBACK
    return api in (host, f"api.{host}")


def _api_of(host: str) -> str:
    """Return the API of a host that is known to be GitHub's.

    A token is not offered to any other host: origin may be at another forge, or an alias of ssh.
    """
    if host in _PUBLIC_HOSTS:
        return PUBLIC_API
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    hint = (
        f"if it is a GitHub Enterprise Server, set GITHUB_API_URL=https://{host}/api/v3;"
        " if it is an ssh alias of github.com, give --repo OWNER/NAME"
    )
    what = f"{host} is not github.com"
    raise UserError(what, where="the remote origin", hint=hint, anchor=Heading.REPOSITORY)
