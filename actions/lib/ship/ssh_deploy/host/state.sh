# The folder of a service in the home of the user, which only this user can read, and its lock.

STATE=${HOME:-.}
STATE=${STATE%/}/.gen-workflow/$NAME
DOCKER_PROGRAM=$(command -v docker)
# The usual place of the state, where it is only a link: snap's Docker cannot read what is below a
# hidden folder of a home, nor write its output there.
hidden_state=
case $DOCKER_PROGRAM in
  */snap/bin/docker) hidden_state=$STATE STATE=${STATE%/.gen-workflow/*}/gen-workflow/$NAME ;;
esac
# Who holds the lock, in the words that the lock file has for it.
lock_holder=
# Since when we ask this holder, whose lock has expired, to end.
asked_since=

phase_lock() {
  open_state
  take_lock
}

open_state() {
  [ -z "$hidden_state" ] || show_state 2>/dev/null
  mkdir -p "$STATE" 2>/dev/null || fail no-state "$STATE"
}

# An earlier deploy may have made the state in its usual place.
show_state() {
  mkdir -p "${STATE%/*}" "${hidden_state%/*}"
  [ -L "$hidden_state" ] || [ -e "$STATE" ] || mv "$hidden_state" "$STATE"
  [ -e "$hidden_state" ] || ln -s "$STATE" "$hidden_state"
}

# The kernel releases the lock when its shell ends, however it ends: so the holder of a lock is
# always alive, and the machine has not restarted since then. Only its client may be gone for a long
# time. Then the lock expires, and we end the shell that holds it, which undoes what is left.
take_lock() {
  local deadline
  command -v flock >/dev/null 2>&1 || fail no-flock
  (: >>"$STATE/lock") 2>/dev/null || fail no-state "$STATE/lock"
  exec 9>>"$STATE/lock"
  deadline=$(($(now) + LOCK_TIMEOUT))
  until flock -n 9; do
    look_at_holder
    [ "$(now)" -lt "$deadline" ] || fail locked "$lock_holder"
    pause 0.3
  done
  # The file must not name the last holder while we hold the lock.
  true >"$STATE/lock"
  has_lock=yes
  # A deploy that was killed may have left a login.
  rm -rf "$STATE/docker-config" "$STATE"/gap.*
  printf '%s up%s %s\n' "$(process_group)" "$(($(now) + LOCK_EXPIRES))" \
    "$OWNER since $(date -u +%H:%M:%S) UTC" >"$STATE/lock"
  # The client tells a deploy that waited for the lock from one that did not get it.
  report locked yes
}

# The process group of this session. A signal to it reaches all processes of the session.
process_group() {
  set -- "$(sed 's/^[^)]*) . [0-9]* \([0-9]*\) .*/\1/' "/proc/$$/stat" 2>/dev/null)"
  case $1 in
    '' | *[!0-9]*) ps -o pgid= -p $$ | tr -d ' ' ;;
    *) echo "$1" ;;
  esac
}

look_at_holder() {
  local group expires words
  read -r group expires words <"$STATE/lock" 2>/dev/null || return 0
  if [ "$lock_holder" != "$words" ]; then
    lock_holder=$words
    asked_since=
    log "waiting: $NAME is locked by $lock_holder"
  fi
  # A holder of an older version has a time of the system clock there, and is left to end by itself.
  # Nor does that version know this form, and take our time for one that has long passed.
  case $expires in up*) expires=${expires#up} ;; *) return 0 ;; esac
  case $group$expires in '' | *[!0-9]*) return 0 ;; esac
  [ "$(now)" -ge "$expires" ] || return 0
  [ -n "$asked_since" ] || tell "the lock has expired: the host stops the deploy that holds it"
  asked_since=${asked_since:-$(now)}
  # For a minute we ask the holder to undo its changes and to end. Then we kill it.
  if [ "$(now)" -lt $((asked_since + 60)) ]; then
    kill -TERM "-$group" 2>/dev/null
  else
    kill -KILL "-$group" 2>/dev/null
  fi
  pause 1
}
