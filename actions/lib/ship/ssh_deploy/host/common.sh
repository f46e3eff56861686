# Shared by all forms. Runs on the host under any POSIX shell, fed over stdin.
# stdout carries facts, `$MARK name value` a line; stderr is for people. MARK is a word that nobody
# else knows: a login script may print to stdout as well.
set -u
UMASK=$(umask)
umask 077
# sshd gives a short PATH; these are where packages, snaps and small systems put Docker.
PATH=$PATH:/usr/local/bin:/snap/bin:/usr/local/sbin:/usr/sbin:/sbin
LABEL=io.github.gen-workflow.service
RELEASE=$(date -u +%Y%m%d%H%M%S)-$$
finished=
has_lock=
gap=
gap_since=
gap_watcher=

say() { printf '%s\n' "$*" >&2; }
tell() { printf '%s %s %s\n' "$MARK" "$1" "$2"; }

# Ends the session: a code that the client knows how to explain, and the host's own words.
fail() {
  tell failure "$1"
  tell detail "$(printf '%s' "${2:-}" | tr '\n' ' ')"
  finish 1
}

# From here on nothing ends us: what is half done is put right first.
finish() {
  trap '' TERM INT HUP PIPE
  finished=yes
  # Whoever has no lock has touched nothing, and what is there is another's.
  [ -z "$has_lock" ] || {
    tidy
    true >"$STATE/lock"
  }
  tell finished "$1"
  exit "$1"
}

# Every form redefines this with what it must put right, whatever ends it.
tidy() { :; }

interrupted() {
  # At once: a word to a client that has gone is a signal as well, which would come back here.
  trap '' TERM INT HUP PIPE
  say 'ended before its time: what is not finished is put right'
  tell failure interrupted
  finish 143
}

# The end of the script before its last phase is the end of the client, too.
trap interrupted TERM INT HUP PIPE
trap '[ -n "$finished" ] || interrupted' EXIT

# The client sends `phase NAME` for each; what a phase runs must not read the script that follows.
phase() {
  tell begin "$1"
  "phase_$1" </dev/null
  tell end "$1"
}

# The last phase of every form.
phase_leave() { finish 0; }

look() { docker container inspect --format "$1" "$2" 2>/dev/null; }
exists() { docker container inspect "$1" >/dev/null 2>&1; }
running() { [ "$(look '{{.State.Running}}' "$1")" = true ]; }
image_of() { look '{{.Config.Image}}' "$1"; }
is_ours() { [ "$(look "{{index .Config.Labels \"$LABEL\"}}" "$1")" = "$NAME" ]; }
engine_answers() { docker version >/dev/null 2>&1; }
nap() { sleep "${1:-0.1}" 2>/dev/null || sleep 1; }
now() { date +%s; }

# Milliseconds of a clock that nobody sets, in hundredths of a second, and without a process.
clock() {
  if read -r up _ </proc/uptime; then ms=${up%.*}${up#*.}0; else ms=$(now)000; fi 2>/dev/null
}

# Runs a command with the environment of the app, whose names may be any: in a subshell, so that
# none of our variables is lost, and after "$@" was made from ours.
with_app_environment() { (
  app_environment
  exec "$@"
) }

# The last line of a log often has no end.
show_logs() {
  docker logs --tail 50 "$1" 2>&1 | sed "s/^/$MARK log /"
  echo
}

# Asks an address on this host for a path; `answer` says what came. Only a 2xx is good: a redirect
# often leads to a login page, which tells nothing about the app. No proxy of the network is ever
# asked. HEALTH_HOST is the name of the site that is asked for, where one address serves several.
probe() {
  answer=
  if [ -z "$2" ]; then
    :
  elif command -v curl >/dev/null 2>&1; then
    answer=$(curl -q -g --noproxy '*' --silent --output /dev/null --max-time "${4:-5}" \
      ${HEALTH_HOST:+"-HHost: $HEALTH_HOST"} --write-out '%{http_code}' "http://$1:$2$3" 2>/dev/null)
  elif command -v bash >/dev/null 2>&1; then
    host=${1#\[} # of an IPv6 address
    # shellcheck disable=SC2016 # expanded by bash, from its arguments
    answer=$(bash -c 'exec 4<>"/dev/tcp/$1/$2" &&
      printf "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" "$3" "$5" >&4 &&
      IFS=" " read -r -t "$4" _ code _ <&4 && printf %s "$code"' \
      probe "${host%\]}" "$2" "$3" "${4:-5}" "${HEALTH_HOST:-localhost}" 2>/dev/null)
  elif command -v wget >/dev/null 2>&1; then
    answer=$(http_proxy='' wget -q -S -T "${4:-5}" -O /dev/null ${HEALTH_HOST:+"--header=Host: $HEALTH_HOST"} \
      "http://$1:$2$3" 2>&1 |
      sed -n 's/^ *HTTP[^ ]* \([0-9]*\).*/\1/p' | head -n 1)
  else
    fail no-http-client
  fi
  answer=${answer%%[!0-9]*}
  case $answer in
    2??) return 0 ;;
    '' | 000) answer='no answer' ;;
    *) answer="status $answer" ;;
  esac
  return 1
}

# Whether a running container does what the person said is healthy. $1 name, $2 address, $3 port,
# $4 path; `reason` says why not. Without a path and a command the image's own HEALTHCHECK decides
# ($5 is its word), and without that, running for a while.
is_healthy() {
  if [ -n "$4" ]; then
    reason="GET $4 gave nothing yet"
    probe "$2" "$3" "$4" && return 0
    reason="GET $4 gave $answer"
  elif [ -n "$HEALTH_COMMAND" ]; then
    run_health_command "$1" && return 0
  else
    case $5 in
      healthy) return 0 ;;
      starting) reason='its HEALTHCHECK has not passed' ;;
      *)
        [ "$(now)" -lt "$settled" ] || return 0
        reason='it has not run for long enough'
        ;;
    esac
  fi
  return 1
}

# One that hangs is no success: it has until the deadline. $1 the container.
run_health_command() {
  docker exec "$1" sh -c "$HEALTH_COMMAND" >"$STATE/health" 2>&1 9>&- &
  asked=$!
  while kill -0 "$asked" 2>/dev/null; do
    if [ "$(now)" -ge "$deadline" ]; then
      kill "$asked" 2>/dev/null
      # The last of several may have been cut off; what those before said is the cause.
      reason=${ended:-its health command has not come to its end}
      return 1
    fi
    nap
  done
  wait "$asked" && return 0
  ended="its health command ended with exit code $? ($(tail -n 1 "$STATE/health" 2>/dev/null))"
  reason=$ended
  return 1
}

# Waits until a container is healthy. $1 name, $2 seconds, then for a path: $3 address, $4 port, $5 path.
# Sets `reason` when it is not.
await_healthy() {
  ended=
  deadline=$(($(now) + $2))
  settled=$(($(now) + ($2 < 5 ? $2 : 5)))
  while :; do
    state=$(look '{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' "$1")
    case $state in
      'running 0 unhealthy') reason='its HEALTHCHECK says unhealthy' && return 1 ;;
      'running 0 '*) is_healthy "$1" "$3" "$4" "$5" "${state##* }" && return 0 ;;
      'created '*) reason='it has not started' ;;
      running* | restarting*) reason='it crashed and was started again' && return 1 ;;
      '') if engine_answers; then reason='it is gone' && return 1; else reason='the engine does not answer'; fi ;;
      *) reason="it ended with exit code $(look '{{.State.ExitCode}}' "$1")" && return 1 ;;
    esac
    [ "$(now)" -lt "$deadline" ] || return 1
    nap
  done
}

# Asks a path again and again, as its users do, and notes the longest time between two good answers,
# which is the gap of a switch or of its undo. One watch goes on over both. $1 address, $2 port, $3 path.
watch_gap() {
  [ -n "$3" ] && [ -z "$gap_watcher" ] || return 0
  gap_file=$STATE/gap.$$
  (
    # What ends the session begins the undo, which is to be measured, too.
    trap '' TERM INT HUP PIPE
    trap - EXIT
    trap 'exit 0' USR1
    finish() { exit 1; }
    clock
    last=$ms longest=0 missed=
    while kill -0 $$; do
      if probe "$1" "$2" "$3" 1; then
        clock
        # A good answer that only took its time is no gap.
        [ -z "$missed" ] || [ $((ms - last)) -le "$longest" ] || longest=$((ms - last))
        echo "$longest" >"$gap_file"
        [ -z "$missed" ] || rm -f "$gap_file.missed"
        last=$ms missed=
      else
        missed=yes
        : >"$gap_file.missed"
      fi
      nap 0.02
    done
  ) </dev/null >/dev/null 2>&1 9>&- &
  gap_watcher=$!
}

# The word to stop comes now, or came before.
begin_gap() { [ -n "$gap_since" ] || { clock && gap_since=$ms; }; }

# A good answer is there, or somebody runs whom nobody asks: `gap` is the longest so far, in
# milliseconds, or empty. Where no good answer was seen, it is all the time since the word to stop.
end_gap() {
  clock
  measured=
  [ -z "$gap_watcher" ] || end_watch
  [ -n "$measured" ] || [ -z "$gap_since" ] || measured=$((ms - gap_since))
  gap_since=
  [ "${measured:--1}" -le "${gap:--1}" ] || gap=$measured
}

end_watch() {
  # The first good answer after the switch may be on its way.
  nap 0.1
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ ! -e "$gap_file.missed" ] || nap 0.1; done
  late=
  [ ! -e "$gap_file.missed" ] || late=yes
  kill -USR1 "$gap_watcher" 2>/dev/null
  # It may be about to write.
  wait "$gap_watcher" 2>/dev/null
  gap_watcher=
  # What was measured until then does not tell how long one is that has no end yet.
  [ -n "$late" ] && [ -n "$gap_since" ] || measured=$(cat "$gap_file" 2>/dev/null)
  rm -f "$gap_file" "$gap_file.missed"
}

# Ends the session with the cause that is in the words of Docker; $1 is the code for any other, $2 the words.
explain() {
  case $2 in
    *'port is already allocated'* | *'address already in use'*)
      taken=$(printf '%s' "$2" | port_of)
      [ -z "$taken" ] || fail port-taken "$taken"
      ;;
    *'no space left'*) fail disk "$2" ;;
  esac
  fail "$1" "$2"
}

# The port of the host is after the first address, and that of the container may come after it.
port_of() { awk 'match($0, /[]:0-9]:[0-9]+/) { print substr($0, RSTART + 2, RLENGTH - 2); exit }'; }
