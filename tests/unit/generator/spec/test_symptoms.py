"""What is no YAML is told with its place, its cause and the next act."""

from __future__ import annotations

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.document import decode, parse

RUN = "image: .\ndeploy:\n  ssh: vps\n  run: "


def problem(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(SpecError) as caught:
        parse(decode(raw, "s"), "s")
    (only,) = caught.value.problems
    return only


UNQUOTED = "a value with `${{ }}` is not in quotes, so YAML takes its brackets for its own\n"
NO_BLANK = "has no blank behind its `:`, so YAML takes it for a part of a text\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            RUN + "{env: {A: ${{ secrets.B }}}}\n",
            f'4:18 {UNQUOTED}  hint: quote it: "${{{{ secrets.B }}}}"',
            id="expression-in-a-mapping",
        ),
        pytest.param(
            RUN + "{env: [{A: ${{ secrets.B }}-x}, C]}\n",
            f'4:19 {UNQUOTED}  hint: quote it: "${{{{ secrets.B }}}}-x"',
            id="expression-in-a-list",
        ),
        pytest.param(
            "image: {args: {A: v${{ vars.B || 'c' }}}}\n",
            f"1:19 {UNQUOTED}  hint: quote it: \"v${{{{ vars.B || 'c' }}}}\"",
            id="expression-behind-a-text",
        ),
        pytest.param(
            " image: .\nname: shop\n",
            "1:2 begins with a blank, and a line below begins without one\n"
            "  hint: remove the blank, so that the keys of one level begin in one column",
            id="blank-before-the-first-key",
        ),
        pytest.param(
            "# mine\n\n  image: .\n  name: shop\ndeploy: {}\n",
            "3:3 begins with a blank, and a line below begins without one\n"
            "  hint: remove the blank, so that the keys of one level begin in one column",
            id="blanks-before-the-first-keys",
        ),
        pytest.param(
            'image: "a\nname: "shop"\n',
            "1:8 a quote is opened here, and closed by the next one, on line 2\n"
            "  hint: add the missing quote",
            id="quote-that-the-next-line-closes",
        ),
        pytest.param(
            "x-a:\n  - 'a\n  - \"it's\"\n  - 'b'\n",
            "2:5 a quote is opened here, and closed by the next one, on line 3\n"
            "  hint: add the missing quote",
            id="quote-of-an-item-that-the-next-item-closes",
        ),
        pytest.param(
            RUN + "{env: {A: b}}}\n",
            "4:21 there is one `}` too many\n  hint: remove it, or add the `{` that it closes",
            id="one-brace-too-many",
        ),
        pytest.param(
            "on: [main]]\n",
            "1:11 there is one `]` too many\n  hint: remove it, or add the `[` that it closes",
            id="one-bracket-too-many",
        ),
        pytest.param(
            RUN + "{env: [A}\n",
            "4:16 a `}` is here, but the `[` of column 14 is still open\n"
            "  hint: close the brackets in the order in which they were opened",
            id="brackets-in-another-order",
        ),
        pytest.param(
            "image: .\ndeploy:{}\n",
            f"2:8 `deploy` {NO_BLANK}  hint: write `deploy: {{}}`",
            id="no-blank-behind-a-colon",
        ),
        pytest.param(
            "image: .\ndeploy:{ssh: vps, run: {}}\n",
            f"2:8 `deploy` {NO_BLANK}  hint: write `deploy: {{ssh: vps, run: {{}}}}`",
            id="no-blank-before-a-mapping",
        ),
        pytest.param(
            "image:.\ndeploy: {}\n",
            f"1:7 `image` {NO_BLANK}  hint: write `image: .`",
            id="no-blank-in-the-line-above",
        ),
        pytest.param(
            RUN + '{ports:["80:80"]}\n',
            f'4:15 `ports` {NO_BLANK}  hint: write `ports: ["80:80"]}}`',
            id="no-blank-in-brackets",
        ),
        pytest.param(
            "image: .\ndeploy\n",
            "2:1 `deploy` has no `:` behind it\n  hint: write `deploy:` and its value",
            id="key-without-a-colon",
        ),
        pytest.param(
            'image: .\nx: "80:80\nname: y\n',
            "2:4 a quote or bracket is opened here and not closed\n"
            "  hint: add the missing quote or bracket",
            id="open-quote",
        ),
        pytest.param(
            "%image: .\n",
            "1:1 a line that begins with `%` speaks to the reader of YAML and is no key\n"
            "  hint: remove the `%`, or the line",
            id="directive",
        ),
        pytest.param(
            "# mine\n%YAML 1.1\n---\nimage: .\nname: no\n",
            "2:1 asks for another version of YAML, and a spec is YAML 1.2\n"
            "  hint: remove the line",
            id="version-of-yaml",
        ),
        pytest.param(
            "image: *nobody\n",
            "1:8 `*nobody` is an alias, and no `&nobody` is above it\n"
            "  hint: put the anchor before it, or quote a text that begins with `*`",
            id="alias",
        ),
        pytest.param(
            "image: &\n",
            "1:9 an `&` or `*` begins the name of an anchor or alias, and there is none\n"
            "  hint: quote a text that begins with `&` or `*`",
            id="anchor-without-a-name",
        ),
        pytest.param(
            'image: "a\\d"\n',
            "1:11 `\\d` is no escape of YAML\n"
            "  hint: write `\\\\d` for a backslash, or put the text into single quotes",
            id="escape",
        ),
        pytest.param(
            'image: .\nname: "\\U00110000"\n',
            "2:8 is an escape of a character that does not exist\n"
            "  hint: the last character of Unicode is \\U0010ffff",
            id="escape-of-no-character",
        ),
        pytest.param(
            "image:\u00a0.\nname: shop\n",
            "1:7 U+00A0 looks like a blank, but YAML takes it for a letter\n"
            "  hint: replace it with a blank",
            id="no-break-blank-behind-a-key",
        ),
        pytest.param(
            "image: .\ndeploy:\n  ssh:\u3000vps\n  run: {}\n",
            "3:7 U+3000 looks like a blank, but YAML takes it for a letter\n"
            "  hint: replace it with a blank",
            id="wide-blank-behind-a-key",
        ),
        pytest.param(
            RUN + "{env: {A: x${HOME}/a}}\n",
            "4:18 a value with `${ }` is not in quotes, so YAML takes its brackets for its own\n"
            '  hint: quote it: "x${HOME}/a"',
            id="variable-of-a-shell",
        ),
        pytest.param(
            "image: .\ndeploy:\n  ssh vps\n  run: {}\n",
            "3:3 `ssh` has no `:` behind it\n  hint: write `ssh: vps`",
            id="no-colon",
        ),
        pytest.param(
            "image: .\ndeploy:\n  ssh\n\n  # how\n  run: {}\n",
            "3:3 `ssh` has no `:` behind it\n  hint: write `ssh:` and its value",
            id="no-colon-and-no-value",
        ),
        pytest.param(
            "image: .\ndeploy:\n  run: {}\n  health /up\n",
            "4:3 `health` has no `:` behind it\n  hint: write `health: /up`",
            id="no-colon-on-the-last-line",
        ),
        pytest.param(
            "image: .\nname: >\n  a\nb: c: d\n",
            "4:5 a `:` is in a place where YAML allows no key\n"
            "  hint: begin keys of one level in the same column; quote a text that holds `: `",
            id="a-text-above-is-no-key",
        ),
        pytest.param(
            b"\x7fELF\x02\x01\x01\x00\x00\xd0",
            "1:8 holds a zero byte, so it is a binary file, and a spec is text\n"
            "  hint: name the file that holds the spec",
            id="binary",
        ),
        pytest.param(
            "image\uff1a.\nname: shop\n",
            "1:6 U+FF1A looks like a `:`, but YAML takes it for a letter\n"
            "  hint: replace it with a `:`",
            id="wide-colon",
        ),
        pytest.param(
            "image: .\nx-a: |\n  a\u00a0b\nname: a: b\n",
            "4:8 a `:` is in a place where YAML allows no key\n"
            "  hint: begin keys of one level in the same column; quote a text that holds `: `",
            id="no-break-blank-in-a-text-above",
        ),
        pytest.param(
            "image: .\nname: 'it's'\n",
            "2:11 there is more behind the ' that ends the text\n"
            "  hint: quote the whole value; in single quotes, write '' for an apostrophe",
            id="apostrophe-in-quotes",
        ),
        pytest.param(
            'on:\n  - "a" b\n',
            '2:9 there is more behind the " that ends the text\n'
            "  hint: quote the whole value; in single quotes, write '' for an apostrophe",
            id="more-behind-an-item-in-quotes",
        ),
        pytest.param(
            RUN + "\n    env:\n      - A\n      B: 1\n",
            "7:7 is no item of the list that begins on line 6\n"
            "  hint: begin an item with `- `, and a key in the column of the other keys",
            id="key-among-items",
        ),
        pytest.param(
            RUN + "{env: {A: b}\n  health: /\n",
            "4:8 a `{` is opened here, and not closed before line 5\n"
            "  hint: add the missing bracket, or the comma before that line",
            id="open-brace-before-the-next-key",
        ),
        pytest.param(
            "on: [a,\n  b\nname: x\n",
            "1:5 a `[` is opened here, and not closed before line 3\n"
            "  hint: add the missing bracket, or the comma before that line",
            id="open-bracket-before-the-next-key",
        ),
        pytest.param(
            f"image: .\n{'k' * 2000}: 1\n",
            "2:1 a key of more than one line, or of more than 1,024 characters, begins here\n"
            "  hint: write a shorter key with `:` behind it; quote a long text",
            id="key-that-is-too-long",
        ),
        pytest.param(
            "image: a\0b\n",
            "1:9 holds the character U+0000, which YAML forbids\n  hint: remove it",
            id="character-that-no-value-may-hold",
        ),
        pytest.param(
            "image: \x07\n",
            "1:8 holds the character U+0007, which YAML forbids\n"
            '  hint: remove it, or write it as an escape in double quotes: "\\u0007"',
            id="bell",
        ),
        pytest.param(
            "image: .\n'\n",
            "2:1 a quote or bracket is opened here and not closed\n"
            "  hint: add the missing quote or bracket",
            id="lone-quote",
        ),
        pytest.param(
            "image: .\nname: café \xe9\n".encode("latin-1").replace(b"caf\xe9", "café".encode()),
            "2:12 is not UTF-8 text (byte 0xe9)\n  hint: save the file as UTF-8",
            id="latin-1",
        ),
    ],
)  # fmt: skip
def test_what_is_no_yaml_says_its_cause_and_what_to_do(text: str | bytes, message: str) -> None:
    assert problem(text) == f"s:{message}"


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_another_encoding_is_named(code: str) -> None:
    assert problem("image: .\n".encode(code)) == (
        "s:1:1 is text in UTF-16 or UTF-32, and a spec is UTF-8\n  hint: save the file as UTF-8"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c",
        "- a\nb: c",
        "a: 'b' c",
        'a: "b" "c"',
        "a: ]",
        "a: }",
        "a: !<x y",
        "a: | x\n b",
        "a: >9\n b",
        "? a\n? b\n c: d\n: e: f",
        "{a: b, c",
        "[a, b: c: d]",
        "a: &x &y z",
        "a: `b`",
        "a: {b: c}d",
        "--- a\n...\nb: c",
        "a: 'b\n---\n",
        "a:\n  b: c\n d: e",
        "a\n b\nc: d",
        "%TAG",
        "%YAML 1.2\nimage: .",
    ],
)
def test_every_message_about_yaml_has_a_next_act(text: str) -> None:
    assert "\n  hint: " in problem(f"{text}\n")
