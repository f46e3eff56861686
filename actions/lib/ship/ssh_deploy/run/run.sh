# One container: a candidate is checked beside the service, then the service is replaced.
# NAME serves; NAME.candidate and NAME.next exist during a deploy only, NAME.previous is kept.

RELEASE_LABEL=io.github.gen-workflow.release
REPOSITORY_LABEL=io.github.gen-workflow.repository
alias=
candidate=
created=
stopped=
committed=
previous=
pulled=

# Whatever ends the session, what is not committed is undone: newest first.
tidy() {
  log_out
  [ -z "$candidate" ] || docker rm -f -v "$NAME.candidate" >/dev/null 2>&1
  [ -z "$committed" ] || return 0
  undo_switch
  [ -n "$created" ] || [ -z "$pulled" ] || remember refused
  [ -z "$SECRET_FILES" ] || rm -rf "$STATE/secrets/$RELEASE"
}

undo_switch() {
  [ -n "$created" ] || return 0
  [ -z "$stopped" ] || {
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
    begin_gap
    say "bringing $NAME back"
  }
  # A stop that was cut off goes on in the engine: a start before its end would be undone by it.
  [ -z "$stopped" ] || docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  # An engine that restarts needs some seconds before it takes commands again, and brings the new
  # container with it, on the ports of the old one.
  tries=30
  while [ "$tries" -gt 0 ]; do
    docker rm -f -v "$NAME.next" >/dev/null 2>&1
    [ -n "$stopped" ] || return 0
    docker start "$NAME" >/dev/null 2>&1
    if running "$NAME"; then
      tell restored "$(image_of "$NAME")"
      [ -n "$HEALTH_PATH" ] || end_gap
      await_answer 10
      # It may not get on with what the new one has left behind.
      running "$NAME" || tell lost "$NAME"
      end_gap
      [ -z "$gap" ] || tell gap "$gap"
      remember rolled-back "$gap"
      return 0
    fi
    # On a full disk nothing starts: the new image is what can go.
    [ "$tries" -gt 25 ] || docker rmi "$IMAGE" >/dev/null 2>&1
    tries=$((tries - 1))
    sleep 1
  done
  tell lost "$NAME"
  remember failed
}

# The old one was good: it is only given the time to start. $1 seconds.
await_answer() {
  [ -n "$HEALTH_PATH" ] || { nap 1 && return 0; }
  deadline=$(($(now) + $1))
  until probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || [ "$(now)" -ge "$deadline" ]; do nap; done
}

remove_left_over() {
  exists "$1" || return 0
  is_ours "$1" || fail foreign "$1"
  docker rm -f -v "$1" >/dev/null 2>&1
}

# With $NAME nobody knows how good $NAME.next is: the old one comes back. Without it a deploy was
# killed between its two renames, when $NAME.next had been found healthy, or it was the first deploy,
# and then there is no better version to go back to.
recover() {
  # What is not seen would be taken for what this deploy has made, and removed.
  there=$(docker ps -a --filter "name=$NAME" --format '{{.Names}}' 2>&1) || fail docker-down "$there"
  there=" $(printf '%s' "$there" | tr '\n' ' ') "
  case $there in *" $NAME.previous "*) check_previous ;; esac
  case $there in *" $NAME.candidate "*) remove_left_over "$NAME.candidate" ;; esac
  case $there in *" $NAME.next "*) recover_next ;; esac
}

# One that was kept when a container that somebody made by hand was replaced has no label of ours.
check_previous() {
  is_ours "$NAME.previous" || [ "$(look '{{.Id}}' "$NAME.previous")" = "$(cat "$STATE/previous" 2>/dev/null)" ] ||
    fail foreign "$NAME.previous"
}

recover_next() {
  is_ours "$NAME.next" || fail foreign "$NAME.next"
  tell mended yes
  case $there in
    *" $NAME "*) if is_committed; then finish_commit; else go_back; fi ;;
    *)
      say "an earlier deploy was killed: $NAME.next is all there is and becomes $NAME"
      take_names
      ;;
  esac
}

# Whether an earlier deploy had said that $NAME.next stays.
is_committed() {
  decided=$(cat "$STATE/committed" 2>/dev/null)
  [ -n "$decided" ] && [ "$(look "{{index .Config.Labels \"$RELEASE_LABEL\"}}" "$NAME.next")" = "$decided" ]
}

finish_commit() {
  say "an earlier deploy was killed after its switch: $NAME.next serves and becomes $NAME"
  take_names
}

# From here on it is ours to bring back, whatever ends us. One that does not start any more, because it
# was broken already, stops no deploy that may mend it.
go_back() {
  say "an earlier deploy was killed in its switch: $NAME.next goes"
  running "$NAME" || stopped=yes
  created=yes
  docker rm -f -v "$NAME.next" >/dev/null 2>&1
  [ -z "$stopped" ] || docker start "$NAME" >/dev/null 2>&1
  if running "$NAME"; then
    created=''
    stopped=''
  else
    say "$NAME does not start: nobody serves until the new one does"
  fi
}

check_repository() {
  label="{{index .Config.Labels \"$REPOSITORY_LABEL\"}}"
  # Of what is not there Docker prints an empty line.
  its=$(look "$label" "$NAME") || its=$(look "$label" "$NAME.next")
  check_source "$its"
}

look_at_service() {
  found=$(look '{{.HostConfig.AutoRemove}} {{.State.Running}} {{.Config.Image}}' "$NAME") || return 0
  # Its stop would delete it, and nothing could be put back.
  case $found in 'true '*) fail auto-remove "$NAME" ;; esac
  previous=${found##* }
  tell previous "$previous"
  case $found in *' true '*) tell before "$previous" ;; esac
}

# Ours is the container that will be replaced.
may_hold_port() { [ "$1" = "$NAME" ]; }

# $1 a port of the host, or of one address of it: 127.0.0.1:80.
check_port() {
  holders=$(docker ps --filter "publish=${1##*:}" --format '{{.Names}}')
  for holder_of_port in $holders; do
    ! publishes "$holder_of_port" "$1" || may_hold_port "$holder_of_port" || fail port-taken "$1 by the container $holder_of_port"
  done
  [ -z "$holders" ] || return 0
  # What a program has on another address is in nobody's way: the start tells.
  case $1 in *:*) return 0 ;; esac
  hex=$(printf ':%04X 0*:0000 0A' "$1")
  ! grep -qsE "$hex" /proc/net/tcp /proc/net/tcp6 || fail port-taken "$1 by a program that is no container"
}

# Whether a container that has a port has it where $2 is to be.
publishes() {
  case $2 in
    0.0.0.0:* | '[::]:'*) return 0 ;;
    '['*) everywhere="[::]:${2##*:}" ;;
    *:*) everywhere="0.0.0.0:${2##*:}" ;;
    *) return 0 ;;
  esac
  docker port "$1" 2>/dev/null | sed -n 's|.*/tcp -> ||p' | grep -qxF -e "$2" -e "$everywhere"
}

phase_look() { check_docker; }

phase_prepare() {
  check_repository
  recover
  look_at_service
  choose_image "$previous"
  for port in $HOST_PORTS; do check_port "$port"; done
  for network in $NETWORKS; do
    docker network inspect "$network" >/dev/null 2>&1 || fail no-network "$network"
  done
  check_space "$previous"
  log_in "$IMAGE"
  pull "$IMAGE"
  log_out
  pulled=yes
  resolve_image
  write_secret_files
  make_ready
}

# For a form that needs more than an image.
make_ready() { :; }

# Files for the app, in a folder that only this user can enter; the app may run as anybody.
write_secret_files() {
  [ -n "$SECRET_FILES" ] || return 0
  secrets=$STATE/secrets/$RELEASE
  mkdir -p "$secrets" || fail disk "$secrets"
  secret_files "$secrets" 2>/dev/null || fail disk "$secrets"
  chmod 444 "$secrets"/* && chmod 711 "$secrets"
}

# Makes a container with everything but what is published. $1 its name, then further flags.
create() {
  name=$1
  shift
  eval "set -- \"\$@\" $FLAGS"
  for each in $SECRET_FILES; do
    set -- "$@" --mount "type=bind,source=$secrets/$each,target=/run/secrets/$each,readonly"
  done
  first=${NETWORKS%% *}
  [ -z "$first" ] || set -- "$@" --network "$first" ${alias:+--network-alias "$alias"}
  set -- "$(command -v docker)" create --name "$name" --label "$RELEASE_LABEL=$RELEASE" "$@" "$IMAGE"
  eval "set -- \"\$@\" $COMMAND"
  said=$(with_app_environment "$@" 2>&1) || return 1
  # Older engines take one network when a container is made.
  for network in $NETWORKS; do
    [ "$network" = "$first" ] || said=$(docker network connect ${alias:+--alias "$alias"} "$network" "$name" 2>&1) || return 1
  done
}

# A command line of the person in a container of the new image that is gone afterwards: a migration.
phase_before() { run_commands before "$BEFORE"; }
phase_after() { run_commands after "$AFTER"; }

# $1 a word for the container, $2 one command a line, quoted for `eval`.
run_commands() {
  app_command=$COMMAND
  ran=
  while read -r line; do
    ran=yes
    COMMAND=$line
    candidate=yes
    say "running: $line"
    create "$NAME.candidate" --restart no || explain start "$said"
    # Docker's client would hand a signal on to the container and wait, so it is not waited for.
    docker start -a "$NAME.candidate" >&2 9>&- &
    wait $! || fail "command-$1" "$line"
    docker rm -f -v "$NAME.candidate" >/dev/null
    candidate=
  done <<COMMANDS
$2
COMMANDS
  # A shell may need room for what it is to read, and goes on without it.
  [ -n "$ran" ] || fail disk "${TMPDIR:-/tmp}"
  COMMAND=$app_command
}

phase_check() {
  candidate=yes
  say "starting the candidate $NAME.candidate"
  if [ -n "$HEALTH_PATH" ]; then
    create "$NAME.candidate" --restart no --publish "127.0.0.1::$HEALTH_PORT" || explain start "$said"
  else
    create "$NAME.candidate" --restart no || explain start "$said"
  fi
  said=$(docker start "$NAME.candidate" 2>&1) || explain start "$said"
  port=
  [ -z "$HEALTH_PATH" ] || port=$(docker port "$NAME.candidate" "$HEALTH_PORT/tcp" 2>/dev/null | sed -n 's/.*://p' | head -n 1)
  if ! await_healthy "$NAME.candidate" "$HEALTH_TIMEOUT" 127.0.0.1 "$port" "$HEALTH_PATH"; then
    show_logs "$NAME.candidate"
    fail unhealthy "$reason"
  fi
  say 'the candidate is healthy'
  docker rm -f -v "$NAME.candidate" >/dev/null 2>&1 && candidate=
}

give_up() {
  show_logs "$NAME.next"
  fail "$1" "$2"
}

phase_switch() {
  eval "set -- $PUBLISH"
  created=yes
  # Others in its networks know it by its name, which it has only later. Docker's own network has none.
  case " $NETWORKS " in *' bridge '*) ;; *) alias=$NAME ;; esac
  create "$NAME.next" --restart "$RESTART" "$@" || explain start "$said"
  alias=
  if still_runs; then
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
    stopped=yes
    say "stopping $NAME"
    begin_gap
    said=$(docker stop -t "$STOP_TIMEOUT" "$NAME" 2>&1) || fail stop "$said"
  fi
  say "starting the new $NAME"
  said=$(docker start "$NAME.next" 2>&1) || { show_logs "$NAME.next"; explain start "$said"; }
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || give_up unhealthy "$reason"
  end_gap
  [ -z "$gap" ] || tell gap "$gap"
  tell serving "$IMAGE"
}

# Whether the old one runs: that an engine which restarts just now says nothing is no answer.
still_runs() {
  told=
  for _ in 1 2 3; do
    [ -z "$previous" ] || told=$(look '{{.State.Running}}' "$NAME") && break
    await_engine
  done
  [ "$told" = true ]
}

# The new one serves, here and on all other hosts: only names are left to change, which nothing may
# interrupt. The old one is kept, and must never start by itself: not even a restart policy of
# `always` may bring it back after a reboot.
phase_commit() {
  trap '' TERM INT HUP PIPE
  printf '%s' "$RELEASE" >"$STATE/committed" 2>/dev/null
  committed=yes
  tell committed yes
  remember deployed "$gap"
  take_names
  retire
  forget_old_secret_files
  prune
  trap interrupted TERM INT HUP PIPE
}

take_names() {
  await_engine
  if exists "$NAME"; then
    docker rm -f "$NAME.previous" >/dev/null 2>&1
    look '{{.Id}}' "$NAME" >"$STATE/previous"
    said=$(docker rename "$NAME" "$NAME.previous" 2>&1) || fail rename "$said"
  fi
  # A deploy may have been killed just before this; of a first one there is none.
  docker update --restart=no "$NAME.previous" >/dev/null 2>&1
  said=$(docker rename "$NAME.next" "$NAME" 2>&1) || fail rename "$said"
}

# One that restarts takes commands again after some seconds.
await_engine() {
  patience=20
  until engine_answers || [ "$patience" = 0 ]; do
    patience=$((patience - 1))
    nap 1
  done
}

# Behind a proxy it ran until now, because it could have been needed at once; else an engine that
# restarted may have brought it back.
retire() { ! running "$NAME.previous" || docker stop -t "$STOP_TIMEOUT" "$NAME.previous" >/dev/null; }

forget_old_secret_files() {
  for folder in "$STATE"/secrets/*; do
    [ -d "$folder" ] || continue
    case $folder in
      */"$RELEASE" | */"$(look "{{index .Config.Labels \"$RELEASE_LABEL\"}}" "$NAME.previous")") ;;
      *) rm -rf "$folder" ;;
    esac
  done
}
