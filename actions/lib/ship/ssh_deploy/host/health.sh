# The health path as the users of a service reach it, and the gap: how long nothing answered there.
#
# HEALTH_STATUS (parameter): the ranges of statuses that are good, such as `200-299 401-401`.

# What the last probe got, in words.
answer=
# How many seconds one answer may take.
patience=5
# Why a service is not healthy yet.
reason=
# From which second on a container counts as healthy that has no other sign of its health.
settled_at=0
# The second in which we began to look at the containers. One look has one time, so that it is not
# too early for the one limit and too late for the other.
looked_at=0
# Milliseconds on the clock when it was last read.
clock_ms=0
# The longest gap so far in milliseconds, or nothing.
gap=
# When we began to stop the old version, in milliseconds on the clock.
gap_since=
# The process that asks the path again and again, and the file where it notes the longest gap.
gap_watcher=
gap_file=
# The longest gap that this process has seen, or nothing when it has seen no end of it.
watched_gap=

# Reads the time since the machine started, as `now` does. It has hundredths of a second, and this
# starts no process.
clock() {
  local uptime
  if read -r uptime _ </proc/uptime; then
    clock_ms=${uptime%.*}${uptime#*.}0
  else
    clock_ms=$(now)000
  fi 2>/dev/null
}

# Asks an address of this host for a path. $1 address, $2 port, $3 path, $4 seconds. `answer` says
# what came. A proxy of the network is never asked. HEALTH_HOST is the name of the site, for an
# address that serves several, or for an app that refuses other names.
probe() {
  local host site seconds="${4:-10}" asked_at
  answer=
  site=${HEALTH_HOST:-$1:$2}
  clock
  asked_at=$clock_ms
  if [ -z "$2" ]; then
    :
  elif command -v curl >/dev/null 2>&1; then
    answer=$(curl -q -g --noproxy '*' --silent --output /dev/null --max-time "$seconds" \
      "-HHost: $site" --write-out '%{http_code}' "http://$1:$2$3" 2>/dev/null)
  elif command -v bash >/dev/null 2>&1; then
    # Without the brackets of an IPv6 address.
    host=${1#\[}
    # shellcheck disable=SC2016 # expanded by bash, from its arguments
    answer=$(bash -c 'exec 4<>"/dev/tcp/$1/$2" &&
      printf "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" "$3" "$5" >&4 &&
      IFS=" " read -r -t "$4" _ code _ <&4 && printf %s "$code"' \
      probe "${host%\]}" "$2" "$3" "$seconds" "$site" 2>/dev/null)
  elif command -v wget >/dev/null 2>&1; then
    # Without -t the one of GNU would ask twenty times.
    answer=$(http_proxy='' wget -q -S -t 1 -T "$seconds" -O /dev/null \
      "--header=Host: $site" "http://$1:$2$3" 2>&1 |
      sed -n 's/^ *HTTP[^ ]* \([0-9]*\).*/\1/p' | head -n 1)
  else
    fail no-http-client
  fi
  answer=${answer%%[!0-9]*}
  case $answer in
    '' | 000) answer='no answer' ;;
    *)
      ! is_accepted "$answer" || return 0
      answer="status $answer"
      return 1
      ;;
  esac
  clock
  [ $((clock_ms - asked_at)) -lt $((seconds * 1000)) ] || answer="no answer within $seconds s"
  return 1
}

# Whether a status is within one of the ranges of HEALTH_STATUS. $1 the status.
is_accepted() {
  local range
  for range in $HEALTH_STATUS; do
    [ "$1" -lt "${range%-*}" ] || [ "$1" -gt "${range#*-}" ] || return 0
  done
  return 1
}

# Sets `patience` to the time that one answer gets. An app may answer late, but a request that was
# lost must not use up the whole time. $1 the seconds that are left.
be_patient() {
  patience=$1
  [ "$patience" -le 30 ] || patience=30
  [ "$patience" -ge 5 ] || patience=5
}

# Waits before the next look at the health. Each look starts programs, and a small host needs its
# processor for the app that starts there: after some seconds it looks once a second.
# $1 the second of the first look, $2 the pause until then.
pause_between_looks() {
  if [ $((looked_at - $1)) -lt 3 ]; then pause "$2"; else pause 1; fi
}

# Starts to ask a path again and again, as users do, and notes the longest time between two good
# answers. One watch goes on over a switch and its undo. $1 address, $2 port, $3 path.
watch_gap() {
  local last longest missed
  [ -n "$3" ] && [ -z "$gap_watcher" ] || return 0
  gap_file=$STATE/gap.$$
  (
    # The signal that ends the session begins the undo, and its gap counts too.
    trap '' TERM INT HUP PIPE
    trap - EXIT
    trap 'exit 0' USR1
    finish() { exit 1; }
    clock
    last=$clock_ms longest=0 missed=
    while kill -0 $$; do
      if probe "$1" "$2" "$3" 1; then
        clock
        # A good answer that took long is no gap.
        [ -z "$missed" ] || [ $((clock_ms - last)) -le "$longest" ] || longest=$((clock_ms - last))
        echo "$longest" >"$gap_file"
        [ -z "$missed" ] || rm -f "$gap_file.missed"
        last=$clock_ms missed=
      else
        missed=yes
        : >"$gap_file.missed"
      fi
      pause 0.02
    done
  ) </dev/null >/dev/null 2>&1 9>&- &
  gap_watcher=$!
}

# Called before the old version stops; a second call changes nothing.
begin_gap() { [ -n "$gap_since" ] || { clock && gap_since=$clock_ms; }; }

# Called when there is a good answer, or when a version runs that no path is asked of: then `gap` is
# the longest so far. Where the watch saw no good answer, the gap is all the time since the stop.
end_gap() {
  clock
  watched_gap=
  [ -z "$gap_watcher" ] || end_watch
  [ -n "$watched_gap" ] || [ -z "$gap_since" ] || watched_gap=$((clock_ms - gap_since))
  gap_since=
  [ "${watched_gap:--1}" -le "${gap:--1}" ] || gap=$watched_gap
}

end_watch() {
  local no_end
  # The first good answer after the switch may be under way.
  pause 0.1
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ ! -e "$gap_file.missed" ] || pause 0.1; done
  no_end=
  [ ! -e "$gap_file.missed" ] || no_end=yes
  kill -USR1 "$gap_watcher" 2>/dev/null
  # It may write at this moment.
  wait "$gap_watcher" 2>/dev/null
  gap_watcher=
  # The file has no gap that still goes on.
  [ -n "$no_end" ] && [ -n "$gap_since" ] || watched_gap=$(cat "$gap_file" 2>/dev/null)
  rm -f "$gap_file" "$gap_file.missed"
}

report_gap() { [ -z "$gap" ] || report gap "$gap"; }
