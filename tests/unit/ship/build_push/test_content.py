from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ship.build_push import content, dockerignore
from ship.build_push.content import Entry, Ingredients, address, ingredients
from ship.build_push.content import tree as trees
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

LIB = Path(__file__).parents[4] / "actions/lib"
FULL = Ingredients(
    files=(Entry("a", "file", 0o644, "00", 1), Entry("b", "folder", 0o755)),
    dockerfile="FROM alpine\nCOPY . /\n",
    build_args={"A": "1", "B": "2"},
    target="app",
    platforms=("linux/amd64", "linux/arm64"),
    bases={"alpine": "sha256:11", "node": "sha256:22"},
    labels={"team": "shop", "tier": "1"},
    secrets=("npm", "pip"),
    ssh=("default", "deploy"),
    contexts={"lib": "tree:33", "docs": "tree:44"},
    provenance="min",
    sbom="true",
    salt="one",
    max_age=86400,
    now=1_000_000,
    image="ghcr.io/acme/app",
)
CHANGES: dict[str, list[Any]] = {
    "files": [(), FULL.files[:1], (*FULL.files, Entry("c", "link", 0o777, "a"))],
    "dockerfile": ["", FULL.dockerfile + "# a comment\n", FULL.dockerfile.replace("\n", "\r\n")],
    "build_args": [
        {},
        {"A": "1"},
        {"A": "2", "B": "1"},
        {"A": "1", "C": "2"},
        {"A": "1B", "": "2"},
    ],
    "target": ["", "test"],
    "platforms": [(), ("linux/amd64",), ("linux/amd64", "linux/arm/v7")],
    "bases": [{}, {"alpine": "sha256:22", "node": "sha256:11"}, {"alpine": "sha256:11"}],
    "labels": [{}, {"team": "shop"}, {"team": "1", "tier": "shop"}],
    "secrets": [(), ("npm",), ("npmpip",)],
    "ssh": [(), ("default",), ("default", "other")],
    "contexts": [{}, {"lib": "tree:44", "docs": "tree:33"}, {"lib": "tree:33"}],
    "provenance": ["", "max"],
    "sbom": ["", "false"],
    "salt": ["", "two"],
    "max_age": [0, 3600, 86401],
    "now": [FULL.now + 86400, FULL.now - 86400],
}


def backwards(found: Mapping[str, str]) -> dict[str, str]:
    return dict(reversed(list(found.items())))


SAME: dict[str, list[Any]] = {
    "files": [FULL.files[::-1]],
    "build_args": [{"B": "2", "A": "1"}],
    "platforms": [FULL.platforms[::-1], FULL.platforms * 2],
    "bases": [backwards(FULL.bases)],
    "labels": [backwards(FULL.labels)],
    "secrets": [FULL.secrets[::-1]],
    "ssh": [FULL.ssh[::-1]],
    "contexts": [backwards(FULL.contexts)],
}


def test_an_address_is_a_tag() -> None:
    assert address(FULL) == address(FULL)
    assert len(address(FULL)) == len("content-") + 40
    assert address(FULL).startswith("content-")


def test_the_address_of_known_ingredients_never_changes_within_a_scheme() -> None:
    # When this fails, all images are built again everywhere: raise SCHEME, and then this value.
    assert ingredients.SCHEME == 2
    assert address(FULL) == "content-5fd5f200af0fe4deef4b0c5ef0b84d11745b1a6c"
    assert address(Ingredients()) == "content-eb175a968edaeafd575d4534e5be5495ec783f9d"


def test_the_scheme_is_part_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    before = address(FULL)
    monkeypatch.setattr(ingredients, "SCHEME", ingredients.SCHEME + 1)
    assert address(FULL) != before


def test_every_ingredient_is_tried() -> None:
    assert set(CHANGES) | {"image"} == set(Ingredients._fields)


@pytest.mark.parametrize("name", CHANGES)
def test_every_ingredient_changes_the_address(name: str) -> None:
    changed = [FULL._replace(**{name: value}) for value in CHANGES[name]]
    addresses = {address(each) for each in (FULL, *changed)}
    assert len(addresses) == 1 + len(changed)


@pytest.mark.parametrize("name", SAME)
def test_the_order_of_unordered_ingredients_does_not_change_the_address(name: str) -> None:
    for value in SAME[name]:
        assert address(FULL._replace(**{name: value})) == address(FULL)


@pytest.mark.parametrize("field", [name for name in Entry._fields if name != "size"])
def test_every_field_of_a_file_changes_the_address(field: str) -> None:
    other: dict[str, Any] = {
        "path": "b",
        "kind": "link",
        "mode": 0o755,
        "content": "01",
        "attributes": (("a", b""),),
    }
    first = Entry("a", "file", 0o644, "00", 1)
    one, two = ((each,) for each in (first, first._replace(**{field: other[field]})))
    assert address(Ingredients(files=one)) != address(Ingredients(files=two))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"build_args": {"A": "B"}}, {"build_args": {"AB": ""}}),
        ({"build_args": {"A": "B"}}, {"labels": {"A": "B"}}),
        ({"secrets": ("a",)}, {"ssh": ("a",)}),
        ({"secrets": ("a", "b")}, {"secrets": ("ab",)}),
        ({"secrets": ("a,b",)}, {"secrets": ("a", "b")}),
        ({"secrets": ("",)}, {"secrets": ()}),
        ({"target": "a", "salt": "b"}, {"target": "ab", "salt": ""}),
        ({"provenance": "true"}, {"sbom": "true"}),
        ({"dockerfile": "a", "target": "b"}, {"dockerfile": "ab"}),
        ({"files": (Entry("a", "file"), Entry("b", "file"))}, {"files": (Entry("ab", "file"),)}),
        ({"files": (Entry("a", "link", 0, "bc"),)}, {"files": (Entry("ab", "link", 0, "c"),)}),
        ({"files": (Entry("a", "link", 1, "2"),)}, {"files": (Entry("a", "link", 12, ""),)}),
        ({"dockerfile": "\udcff"}, {"dockerfile": "\xff"}),
        ({"target": "s1:a"}, {"target": "a"}),
    ],
)
def test_nothing_can_move_from_one_ingredient_to_the_next(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    assert address(Ingredients(**one)) != address(Ingredients(**two))


TEXTS = st.text(alphabet="ab:1\udcff", max_size=3)
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=2)
SETS = st.frozensets(TEXTS, max_size=2)
ENTRIES = st.builds(Entry, TEXTS, TEXTS, st.integers(0, 3), TEXTS)
MEANINGS = st.fixed_dictionaries(
    {
        "files": st.frozensets(ENTRIES, max_size=2),
        "dockerfile": TEXTS,
        "build_args": PAIRS,
        "target": TEXTS,
        "platforms": SETS,
        "bases": PAIRS,
        "labels": PAIRS,
        "secrets": SETS,
        "ssh": SETS,
        "salt": TEXTS,
    }
)


@given(MEANINGS, MEANINGS)
def test_addresses_are_equal_exactly_when_the_ingredients_are(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    # What has no order is compared as such, and handed over in some order.
    mixed = {name: two[name] if name in ("salt", "target") else one[name] for name in one}
    for other in (one, two, mixed):
        same: dict[str, Any] = {
            n: tuple(v) if isinstance(v, frozenset) else v for n, v in one.items()
        }
        given_other: dict[str, Any] = {
            n: tuple(v)[::-1] if isinstance(v, frozenset) else v for n, v in other.items()
        }
        equal = address(Ingredients(**same)) == address(Ingredients(**given_other))
        assert equal is (one == other)


# The clock.


def at(now: int, image: str = "ghcr.io/acme/app", age: int = 1000) -> str:
    return address(FULL._replace(now=now, image=image, max_age=age))


def test_an_address_with_an_age_changes_once_in_each_period() -> None:
    changes = [now for now in range(10_000, 13_000) if at(now) != at(now - 1)]
    assert len(changes) == 3
    assert {later - earlier for earlier, later in itertools.pairwise(changes)} == {1000}
    start, end = content.period(FULL._replace(now=changes[0], max_age=1000))
    assert (start, end) == (changes[0], changes[1])


def test_the_images_of_a_fleet_do_not_change_at_once() -> None:
    starts = {
        content.period(FULL._replace(image=f"ghcr.io/acme/{number}"))[0] for number in range(50)
    }
    assert len(starts) == 50


def test_without_an_age_neither_clock_nor_name_matter() -> None:
    assert at(1, age=0) == at(10**9, image="other", age=0)


# Files.


def make(root: Path, **files: str) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def of(root: Path) -> str:
    return address(Ingredients(files=content.files(str(root))))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = make(tmp_path / "one", **{"a": "1", "b/c": "2", "b/d": "3"})
    (root / ".dockerignore").write_text("*.log\n")
    (root / "link").symlink_to("a")
    return root


def change_content(root: Path) -> None:
    (root / "a").write_text("2")


def change_size(root: Path) -> None:
    (root / "a").write_text("1 ")


def change_name(root: Path) -> None:
    (root / "a").rename(root / "z")


def change_case(root: Path) -> None:
    (root / "a").rename(root / "A")


def change_place(root: Path) -> None:
    (root / "b/c").rename(root / "c")


def change_mode(root: Path) -> None:
    (root / "a").chmod(0o755)


def change_mode_of_a_folder(root: Path) -> None:
    (root / "b").chmod(0o700)


def change_swap(root: Path) -> None:
    (root / "b/c").write_text("3")
    (root / "b/d").write_text("2")


def change_target(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("b")


def change_kind(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").write_text("a")


def change_empty_folder(root: Path) -> None:
    (root / "empty").mkdir()


def change_empty_file(root: Path) -> None:
    (root / "empty").touch()


def change_byte_into_a_name(root: Path) -> None:
    (root / "a").rename(root / "a1")
    (root / "a1").write_text("")


def change_what_is_ignored(root: Path) -> None:
    (root / ".dockerignore").write_text("*.txt\n")


def change_pipe(root: Path) -> None:
    os.mkfifo(root / "pipe")


def change_odd_name(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe")).touch()


CHANGED = [value for name, value in globals().copy().items() if name.startswith("change_")]


@pytest.mark.parametrize("change", CHANGED)
def test_a_change_that_copy_sees_changes_the_address(tree: Path, change: Any) -> None:
    before = of(tree)
    change(tree)
    assert of(tree) != before


def test_attributes_that_are_copied_count_and_others_do_not(tree: Path) -> None:
    before = of(tree)
    try:
        os.setxattr(tree / "a", "user.one", b"1")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    assert of(tree) != before
    assert all(map(trees.counts, ("user.x", "security.capability")))
    assert not any(map(trees.counts, ("security.selinux", "system.posix_acl_access")))


def test_what_does_not_matter_does_not_change_the_address(tree: Path, tmp_path: Path) -> None:
    before = of(tree)
    os.utime(tree / "a", (1, 1))
    os.utime(tree, (1, 1))
    (tree / "x.log").write_text("ignored")
    if os.geteuid() == 0:
        os.chown(tree / "a", 1000, 1000)
        os.chown(tree / "link", 1000, 1000, follow_symlinks=False)
    assert of(tree) == before
    tree.chmod(0o700)
    moved = tree.rename(tmp_path / "a folder of another name")
    assert of(moved) == before


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path: Path) -> None:
    names = [f"{number % 7}/{number}" for number in range(50)]
    one = make(tmp_path / "one", **dict.fromkeys(names, "x"))
    two = make(tmp_path / "two", **dict.fromkeys(reversed(names), "x"))
    assert content.files(str(one)) == content.files(str(two))


def test_a_copy_is_the_same_and_a_hard_link_is_a_file(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "two", symlinks=True)
    assert of(tmp_path / "two") == of(tree)
    (tree / "hard").hardlink_to(tree / "a")
    shutil.copy(tmp_path / "two/a", tmp_path / "two/hard")
    assert of(tmp_path / "two") == of(tree)


def test_the_address_is_the_same_in_any_locale_and_on_any_hash_seed(tree: Path) -> None:
    change_odd_name(tree)
    make(tree, **{"é": "1", "b/ü x": "2"})
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r}); from ship.build_push import content as c; "
        f"print(c.address(c.Ingredients(files=c.files({str(tree)!r}), "
        "build_args=dict(a='1', b='2'), secrets=('x', 'y'))))"
    )
    said = set()
    for number, locale in enumerate(("C", "C.UTF-8", "en_US.ISO-8859-1")):
        env = {"LC_ALL": locale, "PYTHONHASHSEED": str(number), "PYTHONUTF8": str(number % 2)}
        said.add(subprocess.check_output((sys.executable, "-c", code), env=env))
    assert len(said) == 1


def test_special_files_and_loops_are_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "loop").symlink_to("loop")
    (tree / "b/up").symlink_to("..")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "s"))
    kinds = {entry.path: entry.kind for entry in content.files(str(tree))}
    assert kinds["pipe"] == "pipe"
    assert kinds["s"] == "file", "the engine copies a socket as an empty file"
    assert kinds["loop"] == kinds["b/up"] == "link"
    assert not [path for path in kinds if path.startswith("b/up/")]


def test_a_file_that_goes_or_becomes_something_else_meanwhile_is_no_crash(tree: Path) -> None:
    for name in ("gone", "pipe", "link to it", "folder"):
        (tree / name).write_text("x")
    found = list(dockerignore.walk(str(tree), dockerignore.Patterns(())))
    for each in found:
        each.entry.stat(follow_symlinks=False)  # what was seen is kept
    for name in ("gone", "pipe", "link to it", "folder"):
        (tree / name).unlink()
    os.mkfifo(tree / "pipe")
    (tree / "link to it").symlink_to("a")
    (tree / "folder").mkdir()
    still = {entry.path for entry in trees._entries(str(tree), found, [])}  # noqa: SLF001
    assert {"a", "b/c"} <= still
    assert not still & {"gone", "pipe", "link to it", "folder"}


def test_files_that_cannot_be_read_are_reported_all_at_once(tree: Path, tmp_path: Path) -> None:
    make(tree, **{"secret\n::error::x": "1", "b/key": "2"})
    (tree / "secret\n::error::x").chmod(0)
    (tree / "b/key").chmod(0)
    (tree / "closed").mkdir(mode=0)
    for folder in (tree, *tree.resolve().parents):
        if folder.name.startswith(("pytest-", "popen-")) or folder.is_relative_to(tmp_path.parent):
            folder.chmod(0o755)
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r}); from ship.build_push import content\n"
        f"try: content.files({str(tree)!r})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    user: Any = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    python = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
    done = subprocess.run((python, "-c", code), check=False, capture_output=True, text=True, **user)
    assert done.stdout.startswith("UserError"), done
    assert "b/key: cannot be read: Permission denied" in done.stdout
    assert "secret\\n::error::x: cannot be read" in done.stdout
    assert "closed: cannot be read" in done.stdout
    assert "add it to .dockerignore" in done.stdout


def test_a_context_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        content.files(str(tmp_path / "nothing"))


def test_a_dockerfile_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\r\n# \xff\n")
    assert content.dockerfile_text(str(tmp_path / "Dockerfile")) == "FROM a\r\n# \udcff\n"
    with pytest.raises(UserError, match="cannot be read"):
        content.dockerfile_text(str(tmp_path / "none"))


def test_a_dockerfile_that_is_a_link_is_the_one_that_the_engine_reads(tmp_path: Path) -> None:
    make(tmp_path, **{"Dockerfile": "FROM a", "ci/other": "FROM b", "ci/Dockerfile": "FROM c"})
    (tmp_path / "ci/app").symlink_to("other")
    assert content.dockerfile_text(str(tmp_path / "ci/app")) == "FROM b"
    # For the engine the folder of the Dockerfile is the root of all.
    (tmp_path / "ci/out").symlink_to("../Dockerfile")
    assert content.dockerfile_text(str(tmp_path / "ci/out")) == "FROM c"


def test_the_digest_of_a_folder_has_no_order(tree: Path) -> None:
    entries = content.files(str(tree))
    assert content.tree_digest(entries) == content.tree_digest(entries[::-1])
    assert content.tree_digest(entries) != content.tree_digest(entries[1:])


def test_the_work_for_a_context_grows_with_its_files_and_no_faster(tmp_path: Path) -> None:
    few, more = (calls_per_file(tmp_path / str(folders), folders) for folders in (5, 50))
    # Functions that are called, ours and those of Python and the system: 48 when this was written.
    assert 10 < few < 100
    assert more < 1.1 * few


def calls_per_file(root: Path, folders: int) -> float:
    """Count the calls of functions while a context with 20 files a folder is read."""
    for folder in range(folders):
        for number in range(20):
            make(root, **{f"{folder % 3}/{folder}/{number}.txt": "some text"})
    lines = ["*.log", "**/tmp", "!a.log", ".git", "**/*.pyc", "node_modules", "!**/keep", "**/x/y"]
    make(root, **{".dockerignore": "\n".join(lines)})
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        found = content.files(str(root))
    finally:
        sys.setprofile(None)
    assert sum(entry.kind == "file" for entry in found) == 20 * folders + 1
    return calls / len(found)


# The input `paths`.


def paths(root: Path, *patterns: str) -> list[str]:
    return [entry.path for entry in content.selected(str(root), patterns)]


def test_paths_replace_the_context(tmp_path: Path) -> None:
    root = make(
        tmp_path, **{"api/a": "1", "api/b.md": "1", "web/c": "1", "x.lock": "1", ".git/HEAD": "1"}
    )
    (root / ".dockerignore").write_text("api\n")
    assert paths(root, "api") == ["api", "api/a", "api/b.md"]
    assert paths(root, "api", "!**/*.md", "*.lock") == ["api", "api/a", "x.lock"]
    assert paths(root, "**/a") == ["api/a"]
    assert paths(root, "./api/", "/web/c") == ["api", "api/a", "api/b.md", "web/c"]
    assert ".git/HEAD" not in paths(root, "**")


def test_a_link_among_the_paths_stands_for_what_it_leads_to(tmp_path: Path) -> None:
    root = make(tmp_path / "root", **{"api/v1/a": "1", "lib/x y/b": "1", "../outside": "1"})
    (root / "api/lib").symlink_to("../lib/x y")
    (root / "lib/x y/c").symlink_to(root / "one")
    (root / "one").write_text("1")
    (root / "api/up").symlink_to("..")
    (root / "api/v1/here").symlink_to("../../api")
    (root / "api/out").symlink_to("../../outside")
    (root / "api/none").symlink_to("nothing")
    links = ["api/lib", "api/none", "api/out", "api/up"]
    expected = ["api", *links, "api/v1", "api/v1/a", "api/v1/here"]
    assert paths(root, "api") == [*expected, "lib/x y", "lib/x y/b", "lib/x y/c", "one"]


def test_a_change_beside_the_paths_does_not_change_the_address(tmp_path: Path) -> None:
    root = make(tmp_path, **{"api/a": "1", "web/c": "1"})
    before = content.selected(str(root), ["api"])
    make(root, **{"web/c": "2"})
    assert content.selected(str(root), ["api"]) == before
    make(root, **{"api/a": "2"})
    assert content.selected(str(root), ["api"]) != before


@pytest.mark.parametrize(
    ("patterns", "reported"),
    [
        (["ap"], "'ap' matches nothing"),
        (["api", "ap", "we"], "'we' matches nothing"),
        (["*.nothing", "no/**"], "'*.nothing, no/**' matches nothing"),
        (["../outside"], "'../outside' matches nothing"),
        (["."], "'.' matches nothing"),
        (["[x"], "the pattern '[x' is not supported"),
        (["!api"], "'!api' matches nothing"),
        (["api", "here/a"], "'here/a' matches nothing"),
        (["api", ".git/HEAD"], "'.git/HEAD' matches nothing"),
    ],
)
def test_paths_that_match_nothing_are_reported(
    tmp_path: Path, patterns: list[str], reported: str
) -> None:
    root = make(tmp_path / "root", **{"api/a": "1", "../outside": "1", ".git/HEAD": "1"})
    (root / "here").symlink_to("api")
    with pytest.raises(UserError) as error:
        content.selected(str(root), patterns)
    assert reported in str(error.value)
    assert "input `paths`" in str(error.value)
    assert "`**` matches everything" in str(error.value)


# Messages.


def test_what_entered_is_reported_line_by_line_and_secrets_by_name() -> None:
    lines = content.explain(FULL)
    assert "files: 1 with 1 bytes, 1 folders, 0 links" in lines
    assert "base image alpine: sha256:11" in lines
    assert "build context lib: tree:33" in lines
    assert "build args: A, B" in lines
    assert "secrets, by name: npm, pip" in lines
    assert "max-age: built again after 1970-01-12 18:02:06 UTC" in lines
    nothing = ["files: 0 with 0 bytes, 0 folders, 0 links", "Dockerfile: 0 lines"]
    assert content.explain(Ingredients()) == nothing


def test_a_line_of_the_log_cannot_be_forged() -> None:
    lines = content.explain(Ingredients(salt="x\n::error::y", labels={"a\r\x1b[31m": ""}))
    assert "salt: x\\n::error::y" in lines
    assert all(line.isprintable() for line in lines)


def test_a_git_folder_in_the_context_gives_a_notice(tmp_path: Path) -> None:
    make(tmp_path, **{".git/HEAD": "1", "a": "1"})
    reported = content.doubts(Ingredients(files=content.files(str(tmp_path))))
    assert "`.git` is part of the build context" in reported[0]
    (tmp_path / ".dockerignore").write_text(".git\n")
    assert content.doubts(Ingredients(files=content.files(str(tmp_path)))) == []
