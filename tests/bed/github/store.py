"""A bare git repository. It is changed as GitHub does it: first objects, then a ref.

What is asked for often is read and written in this process, by dulwich: a process of git for each
would take minutes with a thousand repositories. Git itself does the rest, and clones it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.graph import can_fast_forward, find_merge_base
from dulwich.object_store import commit_tree_changes, tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADS = "refs/heads/"
_FILE, _EXECUTABLE = 0o100644, 0o100755
_NO_OID = b"0" * 40
_DAY = 24 * 60 * 60
_NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
# Where git looks for a name, in this order: gitrevisions(7).
_PLACES = ("", "refs/", "refs/tags/", "refs/heads/")
# What only git understands in the name of an object, such as `main^` and `HEAD~1`.
_OF_GIT = re.compile(r"[\^~@]")


class Conflict(Exception):  # noqa: N818 - named after what happened
    """Two branches cannot be merged."""


@dataclass(frozen=True)
class Store:
    """One bare repository."""

    path: Path

    @classmethod
    def create(cls, path: Path, branch: str) -> Store:
        """Create an empty bare repository whose HEAD is a branch, without what git puts beside."""
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            Path(path, folder).mkdir(parents=True)
        Path(path, "HEAD").write_text(f"ref: {_HEADS}{branch}\n")
        Path(path, "config").write_text(_CONFIG)
        return cls(path)

    def copied(self, path: Path) -> Store:
        """Make a repository with the same content. Git changes no file, so they are only linked."""
        shutil.copytree(self.path, path, copy_function=os.link)
        return Store(path)

    def close(self) -> None:
        """Close what is open."""
        self._repo.close()

    @cached_property
    def _repo(self) -> Repo:
        return Repo(str(self.path))

    def oid(self, expression: str) -> str | None:
        """Return the object that an expression such as `main:README.md` names."""
        if _OF_GIT.search(expression):
            argv = ("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
            return self._run(*argv, check=False).decode().strip() or None
        rev, colon, path = expression.partition(":")
        found = self._named(rev)
        if found is None or not colon:
            return found
        try:
            return self._at(self._tree_of(found), path)
        except (KeyError, TypeError):  # no such path, or a path below a file
            return None

    def _named(self, rev: str) -> str | None:
        """Return the object that a ref, or its own name, names."""
        if re.fullmatch(r"[0-9a-f]{40}", rev):
            return rev if ObjectID(rev.encode()) in self._repo.object_store else None
        for place in _PLACES:
            name = Ref(f"{place}{rev}".encode())
            if name == b"HEAD" or check_ref_format(name):
                try:
                    return self._repo.refs[name].decode()
                except KeyError:
                    continue
        return None

    def _at(self, tree: Tree, path: str) -> str:
        found: bytes = tree.id
        if path:
            look = self._repo.object_store.__getitem__
            _, found = tree_lookup_path(look, tree.id, path.rstrip("/").encode())
        return found.decode()

    def _tree_of(self, oid: str) -> Tree:
        """Return a tree, or that of a commit."""
        found = self._object(oid)
        if isinstance(found, Commit):
            found = self._object(found.tree.decode())
        if not isinstance(found, Tree):
            raise TypeError(f"{oid} is no commit")
        return found

    def _object(self, oid: str) -> ShaFile:
        return self._repo.object_store[ObjectID(oid.encode())]

    def _commit(self, oid: str) -> Commit:
        """Return a commit by its name, or by that of a branch."""
        found = self._object(self._named(oid) or oid)
        if not isinstance(found, Commit):
            raise TypeError(f"{oid} is no commit")
        return found

    def head(self, branch: str) -> str | None:
        """Return the commit at the head of a branch."""
        return self.oid(_HEADS + branch)

    def files(self, branch: str) -> list[str]:
        """Return the path of every file of a branch."""
        listed = self._run("ls-tree", "-r", "-z", "--name-only", f"refs/heads/{branch}")
        return listed.decode().split("\0")[:-1]

    def kind(self, oid: str) -> str:
        """Return commit, tree, blob or tag."""
        name: bytes = self._object(oid).type_name
        return name.decode()

    def content(self, oid: str) -> bytes:
        """Return the content of a blob."""
        return self._object(oid).as_raw_string()

    def entries(self, tree: str) -> list[tuple[int, str, str, str]]:
        """Return mode, kind, object and name of all that is in a tree."""
        found = self._object(tree)
        assert isinstance(found, Tree)
        return [
            (mode, _KINDS.get(mode, "blob"), oid.decode(), name.decode())
            for name, mode, oid in found.iteritems()
        ]

    def mode(self, branch: str, path: str) -> str:
        """Return the mode of a file, such as 100644."""
        return self._run("ls-tree", f"refs/heads/{branch}", path).decode().split()[0]

    def changed(self, before: str, after: str) -> list[str]:
        """Return the paths that differ between two commits."""
        listed = self._run("diff-tree", "-r", "-z", "--name-only", before, after)
        return listed.decode().split("\0")[:-1]

    def message(self, commit: str) -> str:
        """Return the message of a commit."""
        message: bytes = self._commit(commit).message
        return message.decode().strip()

    def committer(self, commit: str) -> str:
        """Return the address of who made a commit."""
        who: bytes = self._commit(commit).committer
        return who.decode().rpartition("<")[2].rstrip(">")

    def parents(self, commit: str) -> list[str]:
        """Return the parents of a commit."""
        return [parent.decode() for parent in self._commit(commit).parents]

    def history(self, commit: str, without: str = "") -> list[str]:
        """Return a commit and those before it, newest first, without those of another one."""
        left_out = (f"^{without}",) if without else ()
        return self._run("rev-list", commit, *left_out).decode().split()

    def fork(self, one: str, other: str) -> str:
        """Return the commit that two commits have in common."""
        both = [ObjectID(one.encode()), ObjectID(other.encode())]
        return find_merge_base(self._repo, both)[0].decode()

    def below(self, prefix: str) -> list[str]:
        """Return the refs whose names begin with a prefix of whole parts."""
        base = prefix.rstrip("/")
        names = (name.decode() for name in self._repo.refs.allkeys())
        return sorted(name for name in names if name == base or name.startswith(f"{base}/"))

    def blocks(self, ref: str) -> bool:
        """Return whether a ref cannot be made, because git has no ref `a/b` beside a ref `a`."""
        parts = ref.split("/")
        above = ("/".join(parts[:end]) for end in range(3, len(parts)))
        return any(self.oid(name) for name in above) or bool(self.below(f"{ref}/"))

    def delete(self, ref: str) -> None:
        """Delete a ref."""
        self._repo.refs.remove_if_equals(Ref(ref.encode()), None)

    def valid_ref(self, name: str) -> bool:
        """Return whether git accepts a name of a ref."""
        return check_ref_format(Ref(name.encode()))

    def point(self, ref: str, new: str, old: str) -> None:
        """Move a ref from its expected place. Forty zeros mean that there is no ref."""
        moved = self._repo.refs.set_if_equals(
            Ref(ref.encode()), ObjectID(old.encode()), ObjectID(new.encode())
        )
        assert moved, f"{ref} is not at {old}"

    def reaches(self, commit: str, other: str) -> bool:
        """Return whether the history of a commit, or a branch, contains another one."""
        newer, older = ((self.oid(one) or "").encode() for one in (commit, other))
        return can_fast_forward(self._repo, ObjectID(older), ObjectID(newer))

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
        made = Commit()
        made.tree = ObjectID(tree.encode())
        made.parents = [ObjectID(parent.encode()) for parent in parents]
        made.author = f"{author} <{author}@users.noreply.github.com>".encode()
        made.committer = f"GitHub <{committer}>".encode()
        made.author_time, made.commit_time = int(time.time()), _days_ago(age)
        made.author_timezone = made.commit_timezone = 0
        made.message = f"{message.rstrip()}\n".encode()
        self._repo.object_store.add_object(made)
        return made.id.decode()

    def tag(self, name: str, target: str, *, age: int | None = None) -> str:
        """Point a tag at an object, and return what it points to.

        With an age in days it is an object of its own, with a message and a date.
        """
        if age is not None:
            by = f"Octocat <octocat@users.noreply.github.com> {_days_ago(age)} +0000"
            about = f"object {target}\ntype {self.kind(target)}\ntag {name}\ntagger {by}"
            target = self._run("mktag", stdin=f"{about}\n\n{name}\n".encode()).decode().strip()
        self._run("update-ref", f"refs/tags/{name}", target)
        return target

    def date(self, oid: str) -> str:
        """Return when a commit or a tag was made, as GitHub writes it."""
        text = self.content(oid).decode()
        seconds = re.search(r"^(?:committer|tagger) .*> (\d+) ", text, re.MULTILINE)
        assert seconds
        made = datetime.fromtimestamp(int(seconds[1]), timezone.utc)
        return made.strftime("%Y-%m-%dT%H:%M:%SZ")

    def tagged(self, tag: str) -> str:
        """Return the object that an object of a tag is for."""
        return self.content(tag).decode().split()[1]

    def tree(
        self,
        base: str | None,
        add: Mapping[str, bytes],
        delete: Iterable[str] = (),
        executable: Iterable[str] = (),
    ) -> str:
        """Write a tree: that of a commit, or another one, with files added and removed."""
        objects = self._repo.object_store
        below = self._tree_of(base) if base else Tree()
        blobs = {path: Blob.from_string(content) for path, content in add.items()}
        for blob in blobs.values():
            objects.add_object(blob)
        may_run = {*executable}
        changes: list[tuple[bytes, int | None, ObjectID | None]] = [
            (path.encode(), _EXECUTABLE if path in may_run else _FILE, blob.id)
            for path, blob in blobs.items()
        ]
        changes += [(path.encode(), None, None) for path in delete if self._has(base, path)]
        if not changes:
            objects.add_object(below)
            return below.id.decode()
        return commit_tree_changes(objects, below, changes).decode()

    def _has(self, base: str | None, path: str) -> bool:
        return base is not None and self.oid(f"{base}:{path}") is not None

    def merged(self, base: str, head: str) -> str:
        """Return the tree of a merge of two commits. Raises Conflict."""
        try:
            found = self._run("merge-tree", "--write-tree", base, head)
        except subprocess.CalledProcessError as error:
            raise Conflict(error.stdout.decode()) from None
        return found.decode().splitlines()[0]

    def _run(self, *argv: str, stdin: bytes = b"", check: bool = True) -> bytes:
        ran = subprocess.run(
            ("git", "--git-dir", self.path, *argv),
            input=stdin,
            capture_output=True,
            check=check,
            env={**os.environ, **_NOBODY},
        )
        return ran.stdout


_KINDS = {0o040000: "tree", 0o160000: "commit"}


def _days_ago(days: int) -> int:
    return int(time.time()) - days * _DAY
