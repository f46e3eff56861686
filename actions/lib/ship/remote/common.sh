# Shared by every phase. Runs on the host under any POSIX shell, fed over stdin.
# stdout carries facts, `$MARK name value` a line; stderr is for people. MARK is a word that nobody
# else knows: a login script may print to stdout as well.
set -u
umask 077
# sshd gives a short PATH; these are where packages, snaps and small systems put Docker.
PATH=$PATH:/usr/local/bin:/snap/bin:/usr/local/sbin:/usr/sbin:/sbin
LABEL=io.github.gen-workflow.service

say() { printf '%s\n' "$*" >&2; }
tell() { printf '%s %s %s\n' "$MARK" "$1" "$2"; }

# Ends the phase: a code that the client knows how to explain, and the host's own words.
fail() {
  tell failure "$1"
  tell detail "$(printf '%s' "${2:-}" | tr '\n' ' ')"
  finish 1
}

# From here on nothing ends us: what is half done is put right first.
finish() {
  trap '' TERM INT HUP PIPE
  tidy
  kill "$watcher" 2>/dev/null
  tell end "$1"
  exit "$1"
}

# A phase redefines this with what it must put right, whatever ends it.
tidy() { :; }

interrupted() {
  # At once: a word to a client that has gone is a signal as well, which would come back here.
  trap '' TERM INT HUP PIPE
  say 'the client has gone'
  tell failure interrupted
  finish 143
}

# stdin reaches its end when the client dies or the connection is cut. The whole group gets the
# signal, so that a command in the foreground does not hold the trap up.
watch_client() {
  trap interrupted TERM INT HUP PIPE
  exec 3<&0
  (
    trap - TERM INT HUP PIPE
    cat <&3 >/dev/null 2>&1
    kill -TERM 0
  ) 2>/dev/null >/dev/null &
  watcher=$!
  exec 3<&- </dev/null
  tell begin yes
}

look() { docker container inspect --format "$1" "$2" 2>/dev/null; }
exists() { docker container inspect "$1" >/dev/null 2>&1; }
running() { [ "$(look '{{.State.Running}}' "$1")" = true ]; }
image_of() { look '{{.Config.Image}}' "$1"; }
is_ours() { [ "$(look "{{index .Config.Labels \"$LABEL\"}}" "$1")" = "$NAME" ]; }
engine_answers() { docker version >/dev/null 2>&1; }
nap() { sleep 0.2 2>/dev/null || sleep 1; }
now() { date +%s; }

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
# often leads to a login page, which tells nothing about the app. No proxy is ever asked.
probe() {
  answer=
  if [ -z "$2" ]; then
    :
  elif command -v curl >/dev/null 2>&1; then
    answer=$(curl -q -g --noproxy '*' --silent --output /dev/null --max-time 5 \
      --write-out '%{http_code}' "http://$1:$2$3" 2>/dev/null)
  elif command -v bash >/dev/null 2>&1; then
    host=${1#\[} # of an IPv6 address
    # shellcheck disable=SC2016 # expanded by bash, from its arguments
    answer=$(bash -c 'exec 4<>"/dev/tcp/$1/$2" &&
      printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$3" >&4 &&
      IFS=" " read -r -t 5 _ code _ <&4 && printf %s "$code"' probe "${host%\]}" "$2" "$3" 2>/dev/null)
  elif command -v wget >/dev/null 2>&1; then
    answer=$(http_proxy='' wget -q -S -T 5 -O /dev/null "http://$1:$2$3" 2>&1 |
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

# Waits until a container is healthy. $1 name, $2 seconds, then for a path: $3 address, $4 port, $5 path.
# Without a path the image's own HEALTHCHECK decides, and without that, running for a while.
# Sets `reason` when it is not.
await_healthy() {
  deadline=$(($(now) + $2))
  settled=$(($(now) + ($2 < 5 ? $2 : 5)))
  while :; do
    state=$(look '{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' "$1")
    case "$state" in
      'running 0 unhealthy') reason='its HEALTHCHECK says unhealthy' && return 1 ;;
      'running 0 '*)
        if [ -n "$5" ]; then
          probe "$3" "$4" "$5" && return 0
          reason="GET $5 gave $answer"
        else
          case "$state" in
            *' healthy') return 0 ;;
            *' starting') reason='its HEALTHCHECK has not passed' ;;
            *)
              [ "$(now)" -lt "$settled" ] || return 0
              reason='it has not run for long enough'
              ;;
          esac
        fi
        ;;
      'created '*) reason='it has not started' ;;
      running* | restarting*) reason='it crashed and was started again' && return 1 ;;
      '') if engine_answers; then reason='it is gone' && return 1; else reason='the engine does not answer'; fi ;;
      *) reason="it ended with exit code $(look '{{.State.ExitCode}}' "$1")" && return 1 ;;
    esac
    [ "$(now)" -lt "$deadline" ] || return 1
    nap
  done
}
