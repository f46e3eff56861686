"""The one command that runs on a host: a shell that reads what to do from the connection.

It has to work with every login shell, also with fish and csh: one line, no `!`, no backslash, no
single quote within the quotes.
"""

from __future__ import annotations

from ship.runner.command import Secret

# Our text goes through `cat` into a shell, which runs it as it comes. When our end dies or closes
# the connection, the whole group gets TERM, so that a command in the foreground does not delay the
# trap that undoes what is not finished. The last `:` is for a shell that waits for the next
# command: dash runs its traps only after a command. The shells around it wait for its end to report
# its exit code, because the exit code of ssh is the same for a killed script and for a lost
# connection. `read` takes the first line, which is for another shell: see `first`.
SESSION = (
    "trap : HUP INT TERM; "
    "{ trap : HUP INT TERM; read -r _; cat; kill -TERM -$$; echo :; } | "
    '{ trap : HUP INT TERM; sh -s; echo "ship-gone $0 $?"; }'
)
# OpenSSH gives each session a process group of its own. Where a server does not, TERM must not
# reach the server itself.
GROUP = 'kill -0 -$$ 2>/dev/null && exec sh -c "$0" $1; exec setsid sh -c "$0" $1'
# What our scripts need of `sh` and not every shell has, such as ksh93 and zsh.
UNFIT = "ship-unfit-shell"
PROOF = f"""\
proof() {{ local words='a b'; set -- $words; [ $# = 2 ]; }}
proof 2>/dev/null || {{ echo "{UNFIT} $(readlink /proc/$$/exe)" >&2; exit 1; }}
"""


def command(mark: str) -> str:
    """Return the command; `mark` is a word of letters and digits that is new each time.

    The host reports its end as `ship-gone MARK N`. A login script, or another program that does not
    know the word, cannot print the same, neither by chance nor by design.
    """
    return f"exec sh -c '{GROUP}' '{SESSION}' {mark}"


def first(text: Secret, mark: str) -> Secret:
    """Return the text with which a session begins.

    Its first line is for a host whose login script starts another shell, such as zsh: this shell
    knows nothing of our command, reads what we send, and runs the command now. The second line is
    the one that is skipped then.

    When the connection is cut in the middle, the shell finds a syntax error in the text and ends.
    It runs the traps for signals before its end only when it has a trap for its end too, so this
    one is set first. The script sets its own afterwards.
    """
    begin = whole(Secret(f"trap : EXIT\n{PROOF}"))
    return Secret(f"{command(mark)}\n:\n{begin.reveal()}{whole(text).reveal()}")


def whole(text: Secret) -> Secret:
    """Return shell text as one compound command, which is run whole or not at all.

    A connection can be cut in the middle of a line, and half a line can be a command too.
    """
    return Secret("{\n" + text.reveal().rstrip("\n") + "\n}\n")
