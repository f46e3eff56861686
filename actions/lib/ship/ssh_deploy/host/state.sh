# What this host remembers of a service between deploys: the lock, the history, the releases.
# All of it is in a folder of the user's home, which nobody else can read.

STATE=${HOME:-.}/.gen-workflow/$NAME

phase_lock() {
  open_state
  take_lock
}

open_state() {
  mkdir -p "$STATE" 2>/dev/null || fail no-state "$STATE"
}

# The kernel lets go of the lock when this shell ends, whatever ends it; so one that is held is held
# by somebody who lives. Only that somebody's connection may be long gone: then it has expired, and
# its shell is ended, which puts right what was half done.
take_lock() {
  command -v flock >/dev/null 2>&1 || fail no-flock
  (: >>"$STATE/lock") 2>/dev/null || fail no-state "$STATE/lock"
  exec 9>>"$STATE/lock"
  lock_deadline=$(($(now) + LOCK_TIMEOUT))
  holder=
  asked_at=
  until flock -n 9; do
    look_at_holder
    [ "$(now)" -lt "$lock_deadline" ] || fail locked "$holder"
    nap 0.3
  done
  # Nobody may take the last holder for this one.
  true >"$STATE/lock"
  has_lock=yes
  # Of a deploy that was killed: it may hold a login.
  rm -rf "$STATE/docker-config" "$STATE"/gap.*
  printf '%s %s %s\n' "$(group)" "$(($(now) + LOCK_EXPIRES))" "$OWNER since $(date -u +%H:%M:%S) UTC" >"$STATE/lock"
  # Whoever waited got the lock from somebody who has just ended.
  tell locked yes
}

# The process group of this session, in which the whole of it can be ended.
group() {
  set -- "$(sed 's/^[^)]*) . [0-9]* \([0-9]*\) .*/\1/' "/proc/$$/stat" 2>/dev/null)"
  case $1 in
    '' | *[!0-9]*) ps -o pgid= -p $$ | tr -d ' ' ;;
    *) echo "$1" ;;
  esac
}

look_at_holder() {
  read -r held_by held_until held_words <"$STATE/lock" 2>/dev/null || return 0
  if [ "$holder" != "$held_words" ]; then
    holder=$held_words
    asked_at=
    say "waiting: $NAME is locked by $holder"
  fi
  case $held_by$held_until in '' | *[!0-9]*) return 0 ;; esac
  [ "$(now)" -ge "$held_until" ] || return 0
  [ -n "$asked_at" ] || say "the lock has expired: its holder is ended"
  asked_at=${asked_at:-$(now)}
  # First it is asked to put things right; after a minute it is not asked any more.
  if [ "$(now)" -lt $((asked_at + 60)) ]; then kill -TERM "-$held_by"; else kill -KILL "-$held_by"; fi 2>/dev/null
  nap 1
}

# One line of JSON for each deploy. $1 result, $2 gap in ms or nothing. A full disk is no reason to fail.
remember() {
  was=$(printf '%s' "${previous:-}" | tr -cd 'A-Za-z0-9._/:@ -')
  line=$(printf '{"time":"%s",%s,"image":"%s","previous":"%s","result":"%s","gap_ms":%s}' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$HISTORY" "$IMAGE" "$was" "$1" "${2:-null}")
  printf '%s\n' "$line" >>"$STATE/history.jsonl" 2>/dev/null || say "the history could not be written: $STATE/history.jsonl"
}

# Images of the history with a result, newest first, each once. $1 the result, or `[^"]*` for all.
images_of_history() {
  sed -n "s/.*\"image\":\"\\([^\"]*\\)\".*\"result\":\"$1\".*/\\1/p" "$STATE/history.jsonl" 2>/dev/null |
    sed '1!G;h;$!d' | awk '!seen[$0]++'
}

# What the deploys brought and what they found, newest first, each once. What was made by hand is known
# from the deploy that replaced it alone.
images_that_served() {
  sed -n 's/.*"image":"\([^"]*\)","previous":"\([^"]*\)","result":"deployed".*/\1 \2/p' "$STATE/history.jsonl" 2>/dev/null |
    sed '1!G;h;$!d' | tr ' ' '\n' | awk 'NF && !seen[$0]++'
}

# Removes the images of this service that are neither among the newest KEEP that were deployed nor in
# use: without force, so what any container still uses stays. Images of others are never touched.
prune() {
  # A release of several images has them on one line.
  images_of_history deployed | head -n "$KEEP" | tr ' ' '\n' >"$STATE/kept"
  # On a full disk the list of those that stay is cut off.
  [ -s "$STATE/kept" ] || [ -z "$(images_of_history deployed)" ] || return 0
  old=$(images_of_history '[^"]*' | tr ' ' '\n' | grep -vxF -f "$STATE/kept" | head -n 50)
  rm -f "$STATE/kept"
  # shellcheck disable=SC2086 # one word each
  [ -z "$old" ] || docker rmi $old >/dev/null 2>&1
  [ "$(wc -l <"$STATE/history.jsonl")" -le 1000 ] || shorten_history
} 2>/dev/null

shorten_history() {
  tail -n 500 "$STATE/history.jsonl" >"$STATE/history.new" && mv -f "$STATE/history.new" "$STATE/history.jsonl"
}
