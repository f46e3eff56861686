"""What is sent to a host shares no variable between functions that is not declared for that."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.programs import PROGRAMS
from conformance.shell_names import Function, functions, without_quotes
from ship.ssh_deploy import program as remote_script

if TYPE_CHECKING:
    from collections.abc import Mapping

REMOTE = Path(remote_script.FOLDER)
# What the login of a host may have set.
OF_THE_HOST = {"PATH", "HOME", "TMPDIR", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST"}
# A parameter that functions change says so at the top of a file.
CHANGED = re.compile(r"^# ([A-Z_]+) \(parameter\): ", re.MULTILINE)
# Read with a default: a form need not send it.
OPTIONAL = re.compile(r"\$\{([A-Z][A-Z_]+):[-+]")
WIDTH = 100
# What every shell has, and the programs that a host needs.
OF_THE_SHELL = {
    "break", "case", "cd", "command", "continue", "done", "echo", "esac", "eval", "exec", "exit",
    "export", "fi", "for", "kill", "local", "printf", "pwd", "read", "return", "set", "shift",
    "trap", "true", "umask", "unset", "wait",
}  # fmt: skip
PROGRAMS_OF_A_HOST = {
    "awk", "base64", "bash", "cat", "chmod", "cksum", "cmp", "cp", "curl", "cut", "date", "df",
    "docker", "env", "find", "flock", "grep", "head", "ln", "ls", "mkdir", "mv", "pkill", "ps",
    "rm", "rmdir", "sed", "sleep", "sort", "ss", "tail", "tar", "tr", "wc", "wget", "xargs",
}  # fmt: skip
# The client sends these with each program.
SENT_FUNCTIONS = {"app_environment", "secret_files"}
HERE_DOCUMENT = re.compile(r"<<-?(\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def texts(form: str) -> dict[str, str]:
    """The scripts of a form in their order, by name."""
    files = PROGRAMS[form].program.files
    return {name: (REMOTE / f"{name}.sh").read_text(encoding="utf-8") for name in files}


def problems(files: Mapping[str, str], parameters: frozenset[str]) -> list[str]:
    """What is wrong with the variables of a program.

    A function may use what is local in it, what its own file declares or one before it, and
    parameters. So it shares no name with a later file that it cannot know.
    """
    found: list[str] = []
    declared: set[str] = set(OF_THE_HOST)
    everywhere = {name for text in files.values() for name in _declared(text)}
    for text in files.values():
        declared |= _declared(text)
        for each in functions(text)[1:]:
            found += _problems(each, declared, parameters)
            shadowed = each.local & (everywhere | parameters)
            found += [f"{each.name} hides the variable {name}" for name in sorted(shadowed)]
    return found


def _declared(text: str) -> set[str]:
    return {*functions(text)[0].assigned, *CHANGED.findall(text)}


def _problems(each: Function, declared: set[str], parameters: frozenset[str]) -> list[str]:
    unknown = each.read - each.local - declared - parameters
    return [
        *(f"{each.name} assigns {name}" for name in sorted(each.leaked - declared)),
        *(f"{each.name} reads {name}" for name in sorted(unknown) if not name.isupper()),
        *(f"{each.name}: the value in `local {word}` needs quotes" for word in each.unsafe),
    ]


@pytest.mark.parametrize("form", PROGRAMS)
def test_a_variable_is_local_or_declared_at_the_top_of_a_file(form: str) -> None:
    assert problems(texts(form), PROGRAMS[form].parameters) == []


def found_in(form: str) -> list[Function]:
    return [each for text in texts(form).values() for each in functions(text)]


@pytest.mark.parametrize("form", PROGRAMS)
def test_a_host_gets_each_function_that_its_scripts_call(form: str) -> None:
    found = found_in(form)
    defined = {each.name for each in found} | SENT_FUNCTIONS
    called = frozenset[str]().union(*(each.called for each in found))
    assert called - defined - OF_THE_SHELL - PROGRAMS_OF_A_HOST == set()
    phases = {f"phase_{phase.name}" for phase in PROGRAMS[form].program.phases}
    assert phases <= defined
    # So that the reader cannot pass by seeing nothing.
    assert called >= {"fail", "report", "finish", "interrupted", "flock"}


@pytest.mark.parametrize("form", PROGRAMS)
def test_what_is_sent_at_once_calls_nothing_that_is_sent_with_a_later_phase(form: str) -> None:
    """An undo may begin before the client has sent the rest; before the first phase it has none."""
    program = PROGRAMS[form].program
    later = {phase.name: program.later.get(phase.name, ()) for phase in program.phases[1:]}
    late = [name for names in later.values() for name in names]
    all_texts = texts(form)
    rest = {each.name for name in late for each in functions(all_texts[name])} - {""}
    first = [each for name in all_texts if name not in late for each in functions(all_texts[name])]
    calls = {each.name: each.called & rest for each in first if each.called & rest}
    # A phase may call what is sent with it.
    assert calls.keys() <= {f"phase_{name}" for name in later}


def test_no_function_is_without_a_caller() -> None:
    found = [each for form in PROGRAMS for each in found_in(form)]
    called = frozenset[str]().union(*(each.called for each in found))
    phases = {f"phase_{p.name}" for each in PROGRAMS.values() for p in each.program.phases}
    # `phase` is called by a line of the client.
    assert {each.name for each in found} - called - phases - {"", "phase"} == set()


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("a() { b && ! c | d || e; }\n", {"b", "c", "d", "e"}),
        ('a() {\n  x="$(b "$(c)")"\n  [ $((d + $(e))) = 1 ]\n  trap f TERM\n}\n', {*"bcef"}),
        ("a() {\n  case $1 in\n    b | c) d ;;\n    *) e ;;\n  esac\n}\n", {"d", "e"}),
        ("a() {\n  b 'c; d' \"e; f\" # g; h\n}\n", {"b"}),
        ("a() {\n  if b; then c; else { d; }; fi\n  e \\\n    f\n}\n", {"b", "c", "d", "e"}),
    ],
)
def test_a_call_is_found_and_an_argument_is_none(text: str, called: set[str]) -> None:
    assert functions(text)[1].called - OF_THE_SHELL == called


@pytest.mark.parametrize("path", sorted(REMOTE.rglob("*.sh")), ids=lambda path: path.stem)
def test_a_declaration_stands_at_the_top_and_says_what_it_holds(path: Path) -> None:
    head, mark, rest = path.read_text(encoding="utf-8").partition("() {")
    assert mark
    assert functions(rest.partition("\n}\n")[2])[0].assigned == set()
    before = ""
    for line in head.splitlines():
        if re.match(r"[a-z_]+=", line):
            # A group of them has one comment.
            assert before.startswith("#") or re.match(r"[a-z_]+=", before), line
        before = line


CLOCK = """\
clock() {
  if read -r up _ </proc/uptime; then ms=${up%.*}${up#*.}0; else ms=$(now)000; fi 2>/dev/null
}
"""
COMPOSE = """\
# The process of compose.
up=
bring_up() {
  docker compose up -d &
  up=$!
}
"""
PRUNE = """\
prune() {
  old=$(images | head -n 50)
  [ -z "$old" ] || docker rmi $old
} 2>/dev/null
"""
PROXY = """\
# The container that serves.
old=
make_ready() { old=$(id_of "$NAME"); }
"""


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (CLOCK, COMPOSE, {"clock assigns up", "clock assigns ms", "clock reads up"}),
        (PRUNE, PROXY, {"prune assigns old", "prune reads old"}),
        ("", "a() { x=1; }\nb() { for x in 1; do :; done; }\n", {"a assigns x", "b assigns x"}),
        ("", "a() { getopts s x; }\nb() { : ${x:=1}; }\n", {"a assigns x", "b assigns x"}),
        ("", "a() {\n  local x\n  b\n}\nb() { echo $x; }\n", {"b reads x"}),
        ("", "# Told.\nx=\na() {\n  local x\n  x=1\n}\n", {"a hides the variable x"}),
        ("", "a() { local x=$1; }\n", {"a: the value in `local x=$1` needs quotes"}),
        ("", "a() { local x=$(b); }\n", {"a: the value in `local x=$` needs quotes"}),
        ("", 'a() { local x="$1"; x="$(y=1; echo "$x")"; }\n', {"a assigns y"}),
    ],
)
def test_what_two_functions_share_without_a_declaration_is_found(
    first: str, second: str, expected: set[str]
) -> None:
    found = problems({"first": first, "second": second}, frozenset({"NAME"}))
    assert expected <= set(found), found


@pytest.mark.parametrize(
    "text",
    [
        "a() { local x; x=1; echo 'y=1 $z' \"y=1\" --y=1; } # w=1\n",
        'a() {\n  local x\n  while read -r x _ <file; do echo "$x"; done\n}\n',
        "a() { awk -v n=\"$NAME\" '{ y = $1; x = y }'; }\n",
    ],
)
def test_what_is_local_or_quoted_is_no_problem(text: str) -> None:
    assert problems({"one": text}, frozenset({"NAME"})) == []


@pytest.mark.parametrize("form", PROGRAMS)
def test_a_host_gets_each_parameter_that_its_scripts_read_and_no_other(form: str) -> None:
    found = found_in(form)
    read = {name for each in found for name in each.read if name.isupper()}
    constants = {name for each in found if not each.name for name in each.assigned}
    optional = {name for text in texts(form).values() for name in OPTIONAL.findall(text)}
    sent = PROGRAMS[form].parameters
    assert read - constants - OF_THE_HOST - optional - sent == set(), "is read and not sent"
    assert sent - read == set(), "is sent and not read"


def test_what_some_form_may_leave_out_is_sent_by_another() -> None:
    sent = frozenset().union(*(each.parameters for each in PROGRAMS.values()))
    for form in PROGRAMS:
        for text in texts(form).values():
            assert set(OPTIONAL.findall(text)) <= sent | OF_THE_HOST


@pytest.mark.parametrize("path", sorted(REMOTE.rglob("*.sh")), ids=lambda path: path.stem)
def test_no_line_of_a_script_is_longer_than_a_hundred_columns(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []


def lines_that_are_no_comment(text: str) -> list[str]:
    """Return the lines that begin like a comment and are a part of quoted text."""
    shown = without_quotes(text)[1].splitlines()
    within = "\n".join(body for _, body in HERE_DOCUMENT.findall(text)).splitlines()
    quoted = [a for a, b in zip(text.splitlines(), shown, strict=True) if b.strip()]
    return [line for line in (*within, *quoted) if line.lstrip().startswith("#")]


@pytest.mark.parametrize("path", sorted(REMOTE.rglob("*.sh")), ids=lambda path: path.stem)
def test_what_is_not_sent_of_a_script_is_comments_alone(path: Path) -> None:
    assert lines_that_are_no_comment(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    ["cat <<X\na\n  # b\nX\n", "awk '{\n  # b\n}'\n", 'echo "a\n# b"\n'],
    ids=["here-document", "single quotes", "double quotes"],
)
def test_a_line_in_quotes_that_begins_like_a_comment_is_found(text: str) -> None:
    assert len(lines_that_are_no_comment(f"# one\n{text}")) == 1


@pytest.mark.parametrize("form", PROGRAMS)
def test_a_program_is_sent_before_the_host_has_to_answer(form: str) -> None:
    """TCP sends ten segments at once; the inputs of the user come on top."""
    text = PROGRAMS[form].program.preamble("m").reveal().encode()
    assert len(zlib.compress(text)) < 10 * 1448 - 1024
