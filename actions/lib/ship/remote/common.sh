# Shared by every phase. Runs on the host under any POSIX shell, fed over stdin.
# stdout carries facts, one `name value` a line; stderr is for people.
set -u
umask 077

say() { printf '%s\n' "$*" >&2; }
tell() { printf '%s %s\n' "$1" "$2"; }

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
}

exists() { docker container inspect "$1" >/dev/null 2>&1; }
running() { [ "$(docker container inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }
image_of() { docker container inspect --format '{{.Config.Image}}' "$1" 2>/dev/null; }
# Runs a command with the environment of the app, whose names may be any: in a subshell, so that
# none of our variables is lost, and after "$@" was made from ours.
with_app_environment() { (
  app_environment
  exec "$@"
) }
nap() { sleep 0.2 2>/dev/null || sleep 1; }
now() { date +%s; }

show_logs() {
  docker logs --tail 50 "$1" 2>&1 | sed 's/^/log /'
}

# Asks an address on this host for a path; `answer` says what came. Only a 2xx is good: a redirect
# often leads to a login page, which tells nothing about the app.
probe() {
  if command -v curl >/dev/null 2>&1; then
    answer=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "http://$1:$2$3" 2>/dev/null)
  elif command -v bash >/dev/null 2>&1; then
    host=${1#\[} # of an IPv6 address
    # shellcheck disable=SC2016 # expanded by bash, from its arguments
    answer=$(bash -c 'exec 4<>"/dev/tcp/$1/$2" &&
      printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$3" >&4 &&
      IFS=" " read -r -t 5 _ code _ <&4 && printf %s "$code"' probe "${host%\]}" "$2" "$3" 2>/dev/null)
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 5 -O /dev/null "http://$1:$2$3" >/dev/null 2>&1 && answer=200 || answer=000
  else
    fail no-http-client
  fi
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
  settled=$(($(now) + 5))
  answer=
  while :; do
    # shellcheck disable=SC2046 # four words are meant
    set -- "$1" "$2" "${3:-}" "${4:-}" "${5:-}" $(docker container inspect --format \
      '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' "$1" 2>/dev/null)
    case "${6:-gone} ${8:-0} ${9:-none}" in
      'running 0 unhealthy') reason='its HEALTHCHECK says unhealthy' && return 1 ;;
      'running 0 starting') reason='its HEALTHCHECK has not passed' ;;
      'running 0 '*)
        if [ -n "$5" ]; then
          probe "$3" "$4" "$5" && return 0
          reason="GET $5 gave $answer"
        elif [ "${9:-none}" = healthy ] || [ "$(now)" -ge "$settled" ]; then
          return 0
        else
          reason='it has not run for long enough'
        fi
        ;;
      'created '*) reason='it has not started' ;;
      running*) reason='it crashed and was started again' && return 1 ;;
      *) reason="it ended with exit code ${7:-unknown}" && return 1 ;;
    esac
    [ "$(now)" -lt "$deadline" ] || return 1
    set -- "$1" "$2" "$3" "$4" "$5"
    nap
  done
}
