"""A bare git repository. It is changed as GitHub does it: first objects, then a ref."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADS = "refs/heads/"
_DAY = 24 * 60 * 60
_NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class Conflict(Exception):  # noqa: N818 - named after what happened
    """Two branches cannot be merged."""


@dataclass(frozen=True)
class Store:
    """One bare repository."""

    path: Path

    @classmethod
    def create(cls, path: Path, branch: str) -> Store:
        """Create an empty bare repository whose HEAD is a branch."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ("git", "init", "--quiet", "--bare", f"--initial-branch={branch}", path),
            check=True,
            env={**os.environ, **_NOBODY},
        )
        return cls(path)

    def oid(self, expression: str) -> str | None:
        """Return the object that an expression such as `main:README.md` names."""
        ran = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", expression, check=False
        )
        return ran.decode().strip() or None

    def head(self, branch: str) -> str | None:
        """Return the commit at the head of a branch."""
        return self.oid(_HEADS + branch)

    def files(self, branch: str) -> list[str]:
        """Return the path of every file of a branch."""
        listed = self._run("ls-tree", "-r", "-z", "--name-only", f"refs/heads/{branch}")
        return listed.decode().split("\0")[:-1]

    def shown(self, expressions: Iterable[str]) -> dict[str, tuple[str, str, bytes] | None]:
        """Return the objects that expressions name, with kind and content, by one process.

        A question may be about the many files of a copy of our actions.
        """
        asked = list(dict.fromkeys(expressions))
        lines = "".join(f"{each}\n" for each in asked).encode()
        said = self._run("cat-file", "--batch", stdin=lines, check=False)
        found: dict[str, tuple[str, str, bytes] | None] = dict.fromkeys(asked)
        for each in asked:
            about, _, said = said.partition(b"\n")
            oid, *rest = about.decode().rsplit(" ", 2)
            if len(rest) == 2 and rest[1].isdigit():  # kind and size, or that it is missing
                found[each] = oid, rest[0], said[: int(rest[1])]
                said = said[int(rest[1]) + 1 :]
        return found

    def kind(self, oid: str) -> str:
        """Return commit, tree, blob or tag."""
        return self._run("cat-file", "-t", oid).decode().strip()

    def content(self, oid: str) -> bytes:
        """Return the content of a blob."""
        return self._run("cat-file", "blob", oid)

    def entries(self, tree: str) -> list[tuple[str, str, str, str]]:
        """Return mode, kind, object and name of all that is in a tree."""
        lines = self._run("ls-tree", "-z", tree).decode().split("\0")
        found = []
        for about, _, name in (line.partition("\t") for line in lines if line):
            mode, kind, oid = about.split()
            found.append((mode, kind, oid, name))
        return found

    def mode(self, branch: str, path: str) -> str:
        """Return the mode of a file, such as 100644."""
        return self._run("ls-tree", f"refs/heads/{branch}", path).decode().split()[0]

    def changed(self, before: str, after: str) -> list[str]:
        """Return the paths that differ between two commits."""
        listed = self._run("diff-tree", "-r", "-z", "--name-only", before, after)
        return listed.decode().split("\0")[:-1]

    def message(self, commit: str) -> str:
        """Return the message of a commit."""
        return self._run("log", "-1", "--format=%B", commit).decode().strip()

    def committer(self, commit: str) -> str:
        """Return the address of who made a commit."""
        return self._run("log", "-1", "--format=%ce", commit).decode().strip()

    def parents(self, commit: str) -> list[str]:
        """Return the parents of a commit."""
        return self._run("log", "-1", "--format=%P", commit).decode().split()

    def history(self, commit: str, without: str = "") -> list[str]:
        """Return a commit and those before it, newest first, without those of another one."""
        left_out = (f"^{without}",) if without else ()
        return self._run("rev-list", commit, *left_out).decode().split()

    def fork(self, one: str, other: str) -> str:
        """Return the commit that two commits have in common."""
        return self._run("merge-base", one, other).decode().strip()

    def below(self, prefix: str) -> list[str]:
        """Return the refs whose names begin with a prefix."""
        return self._run("for-each-ref", "--format=%(refname)", prefix).decode().split()

    def blocks(self, ref: str) -> bool:
        """Return whether a ref cannot be made, because git has no ref `a/b` beside a ref `a`."""
        parts = ref.split("/")
        above = ("/".join(parts[:end]) for end in range(3, len(parts)))
        return any(self.oid(name) for name in above) or bool(self.below(f"{ref}/"))

    def delete(self, ref: str) -> None:
        """Delete a ref."""
        self._run("update-ref", "-d", ref)

    def valid_ref(self, name: str) -> bool:
        """Return whether git accepts a name of a ref."""
        return subprocess.run(("git", "check-ref-format", name), check=False).returncode == 0

    def point(self, ref: str, new: str, old: str) -> None:
        """Move a ref from its expected place. Forty zeros mean that there is no ref."""
        self._run("update-ref", ref, new, old)

    def reaches(self, commit: str, other: str) -> bool:
        """Return whether the history of `commit` contains `other`."""
        missing = self._run("rev-list", "--max-count=1", other, f"^{commit}")
        return not missing

    def commit(
        self,
        parents: Iterable[str],
        message: str,
        *,
        tree: str,
        author: str,
        committer: str = "noreply@github.com",
        age: int = 0,
    ) -> str:
        """Write a commit, as GitHub does for a user; or as a person, who is the committer then.

        `age` is in days.
        """
        identity = {
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": f"{author}@users.noreply.github.com",
            "GIT_COMMITTER_NAME": "GitHub",
            "GIT_COMMITTER_EMAIL": committer,
            "GIT_COMMITTER_DATE": f"@{_days_ago(age)}",
        }
        options = [part for parent in parents for part in ("-p", parent)]
        argv = ("commit-tree", tree, *options, "-F", "-")
        return self._run(*argv, stdin=message.encode(), env=identity).decode().strip()

    def tag(self, name: str, target: str, *, age: int | None = None) -> str:
        """Point a tag at an object, and return what it points to.

        With an age in days it is an object of its own, with a message and a date.
        """
        if age is not None:
            by = f"Octocat <octocat@users.noreply.github.com> {_days_ago(age)}"
            about = f"object {target}\ntype {self.kind(target)}\ntag {name}\ntagger {by}"
            target = self._run("mktag", stdin=f"{about}\n\n{name}\n".encode()).decode().strip()
        self._run("update-ref", f"refs/tags/{name}", target)
        return target

    def date(self, oid: str) -> str:
        """Return when a commit or a tag was made, as GitHub writes it."""
        text = self._run("cat-file", self.kind(oid), oid).decode()
        seconds = re.search(r"^(?:committer|tagger) .*> (\d+) ", text, re.MULTILINE)
        assert seconds
        made = datetime.fromtimestamp(int(seconds[1]), timezone.utc)
        return made.strftime("%Y-%m-%dT%H:%M:%SZ")

    def tagged(self, tag: str) -> str:
        """Return the object that an object of a tag is for."""
        return self._run("cat-file", "tag", tag).decode().split()[1]

    def tree(
        self,
        base: str | None,
        add: Mapping[str, bytes],
        delete: Iterable[str] = (),
        executable: Iterable[str] = (),
    ) -> str:
        """Write a tree: the tree of a commit, with files added and removed."""
        may_run = {*executable}
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            if base:
                self._run("read-tree", base, env=index)
            lines = [f"0 {'0' * 40}\t{path}\0" for path in delete]
            drafts = [Path(folder, str(number)) for number in range(len(add))]
            for draft, content in zip(drafts, add.values(), strict=True):
                draft.write_bytes(content)
            names = "".join(f"{draft}\n" for draft in drafts).encode()
            blobs = self._run("hash-object", "-w", "--stdin-paths", "--no-filters", stdin=names)
            for path, blob in zip(add, blobs.decode().split(), strict=True):
                lines.append(f"{'100755' if path in may_run else '100644'} {blob}\t{path}\0")
            self._run(
                "update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=index
            )
            return self._run("write-tree", env=index).decode().strip()

    def merged(self, base: str, head: str) -> str:
        """Return the tree of a merge of two commits. Raises Conflict."""
        try:
            found = self._run("merge-tree", "--write-tree", base, head)
        except subprocess.CalledProcessError as error:
            raise Conflict(error.stdout.decode()) from None
        return found.decode().splitlines()[0]

    def _run(
        self,
        *argv: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> bytes:
        ran = subprocess.run(
            ("git", "--git-dir", self.path, *argv),
            input=stdin,
            capture_output=True,
            check=check,
            env={**os.environ, **_NOBODY, **(env or {})},
        )
        return ran.stdout


def _days_ago(days: int) -> str:
    """Return a time as git takes it."""
    return f"{int(time.time()) - days * _DAY} +0000"
