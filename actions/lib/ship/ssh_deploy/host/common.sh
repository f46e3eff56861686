# The session on the host, for all forms: facts, phases and the end. The shell of the host (dash,
# bash or busybox ash) reads this text from its standard input. Standard output carries facts, one
# `$MARK name value` per line, and log lines for people between them: with two streams a line could
# overtake another. MARK is a word that only this session knows, because a login script may print to
# standard output too.
#
# A variable is `local` in its function, or it is declared once, at the top of a file, with a
# comment that says what it holds. A name in capital letters is a constant or a parameter, which the
# client sends. tests/conformance/test_shell_names.py checks this.
set -u
# The mask of the login, for the commands of the user.
UMASK=$(umask)
umask 077
# sshd gives a short PATH; these are where packages, snaps and small systems put Docker.
PATH=$PATH:/usr/local/bin:/snap/bin:/usr/local/sbin:/usr/sbin:/sbin
# This deploy, in the names of folders and in labels.
RELEASE=$(date -u +%Y%m%d%H%M%S)-$$
# Whether the session ends as planned, so that the trap for the exit has nothing to do.
finished=
# Whether this session holds the lock of the service.
has_lock=

log() { printf '%s\n' "$*" >&2; }
# For what the person has to know afterwards: it is in the job summary too.
tell() {
  log "$@"
  report told "$*"
}
report() { printf '%s %s %s\n' "$MARK" "$1" "$2"; }
pause() { sleep "${1:-0.1}" 2>/dev/null || sleep 1; }

# Seconds for time limits, since the machine started: the system clock can jump, and these do not.
now() {
  local uptime
  if read -r uptime _ </proc/uptime; then echo "${uptime%.*}"; else date +%s; fi 2>/dev/null
}

# Ends the session. $1 a code that the client can explain, $2 the words of the host.
fail() {
  report failure "$1"
  report detail "$(printf '%s' "${2:-}" | tr '\n' ' ')"
  finish 1
}

# From here on no signal ends us: first we undo what is not finished.
finish() {
  trap '' TERM INT HUP PIPE
  finished=yes
  # A session without the lock has changed nothing, and what it would find belongs to another one.
  [ -z "$has_lock" ] || {
    clean_up
    true >"$STATE/lock"
  }
  report finished "$1"
  exit "$1"
}

# Every form has its own: it undoes what is not finished, whatever ends the session.
clean_up() { :; }

interrupted() {
  # First of all: a log line to a client that is gone is a signal as well, and would lead back here.
  trap '' TERM INT HUP PIPE
  report failure interrupted
  log 'the session ended before the deploy was complete: the host undoes its unfinished changes'
  finish 143
}

# When the text ends before the last phase, the client has ended too.
trap interrupted TERM INT HUP PIPE
trap '[ -n "$finished" ] || interrupted' EXIT

# The client sends `phase NAME` for each. A command must not read the text that follows.
phase() {
  report begin "$1"
  "phase_$1" </dev/null
  report end "$1"
}

# The last phase of every form.
phase_leave() { finish 0; }
