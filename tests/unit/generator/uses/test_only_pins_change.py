"""Whatever a workflow looks like, `update` changes the ref and the version in a comment alone."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gen_workflow.pins.versions import version
from gen_workflow.uses.choice import Policy
from gen_workflow.uses.files import File
from gen_workflow.uses.moves import edited, moves
from gen_workflow.uses.places import find
from gen_workflow.uses.releases import Known, Release, exact

OLD, NEW = "1" * 40, "2" * 40
POLICY = Policy(now=0.0, min_age=0)
TAGS = {"v1": OLD, "v1.0.0": OLD, "v1.2.3": NEW}
RELEASES = exact(
    Release(meant, commit) for tag, commit in TAGS.items() if (meant := version(tag)) is not None
)
KNOWN = {"acme/tool": Known("acme/tool", RELEASES, TAGS)}

spaces = st.sampled_from([" ", "  ", "   "])
quotes = st.sampled_from(["", "'", '"'])
refs = st.sampled_from(["v1", "v1.0.0", OLD, NEW, "main"])
comments = st.one_of(
    st.sampled_from(["", " # v1", "  # v1.0.0", " #v1.2.3 ", " # tag=v1.0.0, see below", "   "]),
    st.text("ab #:v1.'\"[]{},&*é", max_size=20).map(lambda text: f" # {text}"),
)
others = st.one_of(
    st.text("uses: acme/tol@v1#'\"-|>é ", max_size=30).map(lambda text: f"# {text}"),
    st.sampled_from(
        [
            "",
            "- run: make # uses: acme/tool@v1",
            "- run: |\n    uses: acme/tool@v1 # v1\n\n    # uses: acme/tool@v1",
            "- {run: 'uses: acme/tool@v1', env: {uses: acme/tool@v1}}",
            "- uses: ./acme/tool",
            "- uses: docker://acme/tool@v1",
        ]
    ),
)


@st.composite
def steps(draw: st.DrawFn) -> str:
    """Draw a step that uses the action, in one of the forms of YAML."""
    quote, ref, comment = draw(quotes), draw(refs), draw(comments)
    value = f"{quote}acme/tool@{ref}{quote}"
    form = draw(st.sampled_from(["- uses:{}{}{}", "- {{uses:{}{}}}{}", "- name: a\n  uses:{}{}{}"]))
    return form.format(draw(spaces), value, comment)


@st.composite
def workflows(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(steps(), others), min_size=1, max_size=6))
    lines = [line for part in parts for line in part.split("\n")]
    text = "on: push\njobs:\n  a:\n    steps:\n" + "".join(f"      {line}\n" for line in lines)
    text = draw(st.sampled_from(["", "\ufeff"])) + text
    text = text if draw(st.booleans()) else text[:-1]
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(workflows())
def test_nothing_changes_but_refs_and_comments(text: str) -> None:
    assert around_uses(updated(text)) == around_uses(text)


@given(workflows())
def test_a_comment_keeps_all_but_its_version(text: str) -> None:
    after = updated(text)
    for old, new in zip(find(text), find(after), strict=True):
        before, now = text[old.comment], after[new.comment]
        same = without_version(now) == without_version(before)
        assert same or now == f"# v1.2.3 {before}".strip()


@given(workflows())
def test_each_use_that_can_move_is_at_the_newest_release_afterwards(text: str) -> None:
    after = updated(text)
    for before, use in zip(find(text), find(after), strict=True):
        assert use.reference.ref == ("main" if before.reference.ref == "main" else NEW)
        assert use.reference.ref == "main" or "v1.2.3" in after[use.comment]


def updated(text: str) -> str:
    file = File("ci.yml", text, tuple(find(text)))
    return edited(file, moves([file], KNOWN, POLICY))


def around_uses(text: str) -> list[str]:
    """Return what is around refs and comments; a comment that is added has a blank before it."""
    pieces, at = [], 0
    for use in find(text):
        pieces += [text[at : use.ref.start], text[use.ref.stop : use.comment.start].rstrip(" ")]
        at = use.comment.stop
    return [*pieces, text[at:]]


def without_version(comment: str) -> str:
    return re.sub(r"v1(\.\d\.\d)?", "", comment)
