"""The one command that runs on a host: a shell that reads what to do from the connection.

It must be right whatever the login shell is, fish and csh too: one line, no `!`, no backslash, no
single quote within the quotes.
"""

from __future__ import annotations

from ship.runner.command import Secret

# What we say goes through `cat` into a shell, which runs it as it comes. When our end dies or says
# no more, the whole group gets TERM, so that a command in the foreground does not hold up the trap
# that puts things right; the last `:` makes a shell that waits for the next command look at its
# traps (dash does not while it reads). The shells around it stay until it has ended, to tell its
# exit code: that of ssh cannot tell a killed script from a lost connection.
SESSION = (
    "trap : HUP INT TERM; "
    "{ trap : HUP INT TERM; cat; kill -TERM -$$; echo :; } | "
    '{ trap : HUP INT TERM; sh -s; echo "ship-gone $0 $?"; }'
)
# OpenSSH gives each session a process group of its own. Where a server does not, TERM must not
# reach the server itself.
GROUP = 'kill -0 -$$ 2>/dev/null && exec sh -c "$0" $1; exec setsid sh -c "$0" $1'


def command(mark: str) -> str:
    """Return the command; `mark` is a word of letters and digits that is new each time.

    It stands in what the host tells, `ship-gone MARK N`, so that no login script, and no program
    that was not told it, can say the same by chance or by design.
    """
    return f"exec sh -c '{GROUP}' '{SESSION}' {mark}"


def first(text: Secret) -> Secret:
    """Return the text with which a session begins.

    Half a text is a syntax error, which ends the shell: it looks at its other traps only because
    it has one for its end. The script may have another one.
    """
    return whole(Secret("trap : EXIT\n" + text.reveal()))


def whole(text: Secret) -> Secret:
    """Return shell text as one compound command, which is run whole or not at all.

    A connection can be cut in the middle of a line, and half a line can be a command too.
    """
    return Secret("{\n" + text.reveal().rstrip("\n") + "\n}\n")
