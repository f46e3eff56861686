"""Which repository on which GitHub a folder belongs to."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from gen_workflow.errors import UserError

PUBLIC_API = "https://api.github.com"
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_SCP = re.compile(r"(?:[^/@]+@)?(?P<host>[^/:@]+):(?P<path>[^:]+)")
_PUBLIC_HOSTS = ("github.com", "www.github.com", "ssh.github.com")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME_IT = "name the repository with --repo OWNER/NAME"
# The rules of git-check-ref-format(1).
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$|^@$|^$")


@dataclass(frozen=True)
class Remote:
    """A repository as OWNER/NAME, and the base URL of the API that knows it."""

    slug: str
    api: str


def find(folder: str, *, slug: str, api: str) -> Remote:
    """Return the repository that was named, else the one that `origin` of the folder names.

    Raises UserError when it cannot be told, or when the token would go where it must not.
    """
    if slug:
        return Remote(_checked_slug(slug, "--repo"), _checked_api(api or PUBLIC_API))
    host, path = _origin(folder)
    slug = _checked_slug(path.strip("/").removesuffix(".git"), "the remote origin")
    return Remote(slug, _checked_api(api or _api_of(host)))


def check_branch(name: str, option: str) -> str:
    """Return the name of a branch; raises UserError when git would not take it."""
    if _NO_BRANCH.search(name) or name.startswith("refs/"):
        hint = (
            "git's rules for names are in `git help check-ref-format`; such as gen-workflow/update"
        )
        raise UserError(f"{name!r} is no name of a branch", where=option, hint=hint)
    return name


def _checked_slug(slug: str, where: str) -> str:
    if not _SLUG.fullmatch(slug):
        raise UserError(f"{slug!r} is not OWNER/NAME", where=where, hint=_NAME_IT)
    return slug


def _checked_api(url: str) -> str:
    """Return the URL without a slash at its end; a token is never sent in the clear."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme != "https" and not local) or not parts.hostname or parts.username:
        hint = "give https://HOST/api/v3 of a GitHub Enterprise Server, or leave it out"
        shown = url.rpartition("@")[2]
        raise UserError(f"{shown!r} is not an https URL of an API", where="API URL", hint=hint)
    return url.rstrip("/")


def _origin(folder: str) -> tuple[str, str]:
    """Return the host and the path of the remote named origin."""
    url = _git(folder, "remote", "get-url", "origin")
    if below := _git(folder, "rev-parse", "--show-prefix"):
        hint = f"give the top of the repository with -C, or {_NAME_IT}"
        raise UserError(f"is the folder {below} of its repository", where=folder, hint=hint)
    return _split(url)


def _git(folder: str, *argv: str) -> str:
    """Return what git says about a folder."""
    try:
        ran = subprocess.run(
            ("git", "-C", folder, *argv), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise UserError("git is not installed, so origin is unknown", hint=_NAME_IT) from None
    if ran.returncode:
        said = ran.stderr.partition("\n")[0].removeprefix("fatal: ").removeprefix("error: ")
        raise UserError(f"git cannot tell its origin: {said}", where=folder, hint=_NAME_IT)
    return ran.stdout.strip()


def _split(url: str) -> tuple[str, str]:
    """Return host and path of what `git remote get-url` prints."""
    parts = urlsplit(url)
    if parts.scheme in ("https", "http", "ssh", "git", "git+ssh") and parts.hostname:
        return parts.hostname, parts.path
    if "://" not in url and (found := _SCP.fullmatch(url)):
        return found["host"].lower(), found["path"]
    shown = url.rpartition("@")[2]  # what stands before it may be a password
    raise UserError(
        f"{shown!r} is no repository on GitHub", where="the remote origin", hint=_NAME_IT
    )


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
    raise UserError(f"{host} is not github.com", where="the remote origin", hint=hint)
