# One container. A candidate is checked beside the service, and then the service is replaced. NAME
# serves. NAME.candidate and NAME.next exist only during a deploy. NAME.previous is kept.
#
# COMMAND (parameter): the command of the container, as words for `eval`.

RELEASE_LABEL=io.github.gen-workflow.release
# The name that a new container gets in its networks, or nothing.
network_alias=
# Whether there is, or may be: a candidate; a container NAME.next of this deploy.
candidate=
created=
# Whether this deploy has stopped the old container.
stopped=
# Whether the new version stays, whatever comes now.
committed=
# Whether the image is here, so that the history gets a line.
pulled=
# The folder with the secret files of this release.
secrets_folder=
# The last failure of the health command.
health_failure=
# The second at which we stop waiting for a container to be healthy.
health_deadline=0
# The containers whose name begins like that of the service, with a blank around each.
containers=

# Runs a command with the environment of the app, whose variables may have any name: in a subshell,
# so that none of our variables is lost, and after "$@" was made from ours.
with_app_environment() { (
  app_environment
  exec "$@" 9>&-
) }

# Undoes what is not committed, whatever ends the session: the newest change first.
clean_up() {
  log_out
  [ -z "$candidate" ] || docker rm -f -v "$NAME.candidate" >/dev/null 2>&1
  [ -z "$committed" ] || return 0
  undo_switch
  [ -n "$created" ] || [ -z "$pulled" ] || record refused
  rm -f "$STATE/adopted"
  [ -z "$SECRET_FILES" ] || rm -rf "$STATE/secrets/$RELEASE"
}

undo_switch() {
  local tries=30
  [ -n "$created" ] || return 0
  [ -z "$stopped" ] || {
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
    begin_gap
    log "starting the previous container $NAME again"
    # A stop that was interrupted goes on in the engine, and would stop what we start now.
    docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  }
  # An engine that restarts takes no commands for some seconds. Then it starts the new container
  # again, on the ports of the old one.
  while [ "$tries" -gt 0 ]; do
    docker rm -f -v "$NAME.next" >/dev/null 2>&1
    [ -n "$stopped" ] || return 0
    docker start "$NAME" >/dev/null 2>&1
    if running "$NAME"; then
      report_rollback
      return 0
    fi
    # On a full disk nothing starts. The new image is what we can remove.
    [ "$tries" -gt 25 ] || docker rmi "$IMAGE" >/dev/null 2>&1
    tries=$((tries - 1))
    sleep 1
  done
  report lost "$NAME"
  record failed
}

report_rollback() {
  report restored "$(image_of "$NAME")"
  [ -n "$HEALTH_PATH" ] || end_gap
  await_answer 10
  # It may end because of what the new one has left behind.
  running "$NAME" || report lost "$NAME"
  end_gap
  report_gap
  record rolled-back "$gap"
}

# The old version was healthy: it only gets the time to start. $1 seconds.
await_answer() {
  local deadline
  [ -n "$HEALTH_PATH" ] || { pause 1 && return 0; }
  deadline=$(($(now) + $1))
  until probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || [ "$(now)" -ge "$deadline" ]; do
    pause
  done
}

# Whether a running container is healthy. $1 name, $2 address, $3 port, $4 path. `reason` says why
# not. Without a path and a command the HEALTHCHECK of the image decides, whose word is $5. Without
# that a container is healthy that has run for a while.
is_healthy() {
  if [ -n "$4" ]; then
    reason="GET $4 has no answer yet"
    be_patient $((health_deadline - looked_at))
    probe "$2" "$3" "$4" "$patience" && return 0
    reason="GET $4 gave $answer"
  elif [ -n "$HEALTH_COMMAND" ]; then
    run_health_command "$1" && return 0
  else
    case $5 in
      healthy) return 0 ;;
      starting) reason='its HEALTHCHECK has not passed' ;;
      *)
        [ "$looked_at" -lt "$settled_at" ] || return 0
        reason='it has not run for long enough'
        ;;
    esac
  fi
  return 1
}

# A command that hangs is no success: it has time until the deadline. $1 the container.
run_health_command() {
  local process
  "$DOCKER_PROGRAM" exec "$1" sh -c "$HEALTH_COMMAND" >"$STATE/health" 2>&1 9>&- &
  process=$!
  while kill -0 "$process" 2>/dev/null; do
    if [ "$(now)" -ge "$health_deadline" ]; then
      kill "$process" 2>/dev/null
      # The deadline may have cut off the last of several. Then an earlier failure is the cause.
      reason=${health_failure:-its health command has not ended}
      return 1
    fi
    pause
  done
  wait "$process" && return 0
  health_failure="its health command ended with exit code $?"
  health_failure="$health_failure ($(tail -n 1 "$STATE/health" 2>/dev/null))"
  reason=$health_failure
  return 1
}

# Waits until a container is healthy. $1 name, $2 seconds, then for a path: $3 address, $4 port,
# $5 path. When it is not, `reason` says why.
await_healthy() {
  local state format='{{.State.Status}} {{.RestartCount}}'
  # A path or a command decides alone.
  if [ -n "$HEALTH_PATH$HEALTH_COMMAND" ]; then
    format="$format none"
  else
    format="$format {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
  fi
  health_failure=
  looked_at=$(now)
  health_deadline=$((looked_at + $2))
  settled_at=$((looked_at + ($2 < 5 ? $2 : 5)))
  while :; do
    state=$(inspect "$format" "$1")
    case $state in
      'running 0 unhealthy') reason='its HEALTHCHECK says unhealthy' && return 1 ;;
      'running 0 '*) is_healthy "$1" "$3" "$4" "$5" "${state##* }" && return 0 ;;
      'created '*) reason='it has not started' ;;
      running* | restarting*) reason='it crashed and was started again' && return 1 ;;
      '')
        reason='the engine does not answer'
        ! engine_answers || { reason='its container was removed' && return 1; }
        ;;
      *)
        reason="it ended with exit code $(inspect '{{.State.ExitCode}}' "$1")"
        return 1
        ;;
    esac
    [ "$looked_at" -lt "$health_deadline" ] || return 1
    pause
    looked_at=$(now)
  done
}

remove_left_over() {
  exists "$1" || return 0
  is_ours "$1" || fail_foreign "$1"
  docker rm -f -v "$1" >/dev/null 2>&1
}

# Finishes or undoes a deploy that was killed. When NAME exists, we cannot know whether NAME.next is
# healthy: the old version comes back. Without NAME there are two cases. The deploy was killed
# between its two renames, and then NAME.next was healthy. Or it was the first deploy, and then
# there is no better version to go back to.
recover() {
  # A container that we do not see here we would later take for one of this deploy, and remove it.
  containers=$(docker ps -a --filter "name=$NAME" --format '{{.Names}}' 2>&1) ||
    fail docker-down "$containers"
  containers=" $(printf '%s' "$containers" | tr '\n' ' ') "
  case $containers in *" $NAME.previous "*) check_previous ;; esac
  case $containers in *" $NAME.candidate "*) remove_left_over "$NAME.candidate" ;; esac
  case $containers in *" $NAME.next "*) recover_next ;; esac
}

# The kept container has no label of ours when it was made by hand.
check_previous() {
  is_ours "$NAME.previous" ||
    [ "$(inspect '{{.Id}}' "$NAME.previous")" = "$(cat "$STATE/previous" 2>/dev/null)" ] ||
    fail_foreign "$NAME.previous"
}

recover_next() {
  is_ours "$NAME.next" || fail_foreign "$NAME.next"
  report recovered yes
  case $containers in
    *" $NAME "*) if is_committed; then finish_commit; else roll_back_killed; fi ;;
    *)
      log "an earlier deploy was killed: $NAME.next is the only container left and becomes $NAME"
      take_names
      ;;
  esac
}

# Whether an earlier deploy had decided that $NAME.next stays.
is_committed() {
  local release
  release=$(cat "$STATE/committed" 2>/dev/null)
  [ -n "$release" ] &&
    [ "$(inspect "{{index .Config.Labels \"$RELEASE_LABEL\"}}" "$NAME.next")" = "$release" ]
}

finish_commit() {
  log "an earlier deploy was killed after its switch: its $NAME.next serves and becomes $NAME"
  take_names
}

# From here on this deploy has to bring the old version back, whatever ends it. An old version that
# was broken before and does not start must not stop the deploy that may repair it.
roll_back_killed() {
  log "an earlier deploy was killed in its switch: the host removes its container $NAME.next"
  running "$NAME" || stopped=yes
  created=yes
  docker rm -f -v "$NAME.next" >/dev/null 2>&1
  [ -z "$stopped" ] || docker start "$NAME" >/dev/null 2>&1
  if running "$NAME"; then
    created=''
    stopped=''
  else
    log "$NAME does not start: the service is down until the new version runs"
  fi
}

look_at_service() {
  local found
  found=$(inspect '{{.HostConfig.AutoRemove}} {{.State.Running}} {{.Config.Image}}' "$NAME") ||
    return 0
  # Its stop would delete it, and we could not bring it back.
  case $found in 'true '*) fail auto-remove "$NAME" ;; esac
  previous=${found##* }
  report previous "$previous"
  case $found in *' true '*) report before "$previous" ;; esac
}

# The container that this deploy replaces may hold the port.
may_hold_port() { [ "$1" = "$NAME" ]; }

# $1 a port of the host, or of one address of it: 127.0.0.1:80.
check_port() {
  local holders container hex
  holders=$(docker ps --filter "publish=${1##*:}" --format '{{.Names}}')
  for container in $holders; do
    ! publishes "$container" "$1" || may_hold_port "$container" ||
      fail port-taken "$1: the container $container already uses it"
  done
  [ -z "$holders" ] || return 0
  # A program that listens on another address is no problem; when there is one, the start fails.
  case $1 in *:*) return 0 ;; esac
  hex=$(printf ':%04X 0*:0000 0A' "$1")
  ! grep -qsE "$hex" /proc/net/tcp /proc/net/tcp6 ||
    fail port-taken "$1: a program outside Docker already uses it"
}

# Whether a container that publishes a port does so where $2 is to be.
publishes() {
  local everywhere
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
  local port network
  check_service
  recover
  adopt
  look_at_service
  choose_image "$previous"
  for port in $HOST_PORTS; do check_port "$port"; done
  for network in $NETWORKS; do
    docker network inspect "$network" >/dev/null 2>&1 || fail no-network "$network"
  done
  check_space "$IMAGE" "$previous"
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

# Files for the app, in a folder that only this user can enter. The app may run as any user.
write_secret_files() {
  [ -n "$SECRET_FILES" ] || return 0
  secrets_folder=$STATE/secrets/$RELEASE
  mkdir -p "$secrets_folder" || fail disk "$secrets_folder"
  secret_files "$secrets_folder" 2>/dev/null || fail disk "$secrets_folder"
  { chmod 444 "$secrets_folder"/* && chmod 711 "$secrets_folder"; } || fail disk "$secrets_folder"
}

# Makes a container with everything but what is published. $1 its name, then further flags.
create() {
  local container="$1" each network first
  shift
  eval "set -- \"\$@\" $FLAGS"
  for each in $SECRET_FILES; do
    set -- "$@" \
      --mount "type=bind,source=$secrets_folder/$each,target=/run/secrets/$each,readonly"
  done
  first=${NETWORKS%% *}
  [ -z "$first" ] ||
    set -- "$@" --network "$first" ${network_alias:+--network-alias "$network_alias"}
  set -- "$DOCKER_PROGRAM" create --name "$container" --label "$RELEASE_LABEL=$RELEASE" \
    "$@" "$IMAGE"
  eval "set -- \"\$@\" $COMMAND"
  docker_output=$(with_app_environment "$@" 2>&1) || return 1
  warn_of_platform
  # Older engines take one network when they make a container.
  for network in $NETWORKS; do
    [ "$network" = "$first" ] || connect_network "$network" "$container" || return 1
  done
}

# Makes a container that runs beside the service for a while: the candidate, or one of a command.
# Users and neighbours must not find it. What the image says to Traefik and nginx-proxy is
# overridden. $@ further flags.
create_candidate() {
  create "$NAME.candidate" --restart no --label traefik.enable=false --env VIRTUAL_HOST= "$@"
}

# Makes the container that takes over, with all that others find it by. $@ further flags.
create_next() {
  eval "set -- \"\$@\" $FOUND_BY"
  create "$NAME.next" --restart "$RESTART" "$@"
}

connect_network() {
  docker_output=$(docker network connect ${network_alias:+--alias "$network_alias"} \
    "$1" "$2" 2>&1)
}

# Commands of the user, each in a container of the new image that is removed afterwards.
phase_before() { run_commands before "$BEFORE"; }
phase_after() { run_commands after "$AFTER"; }

# $1 the input, for the failure; $2 one command per line, quoted for `eval`.
run_commands() {
  local command_of_app="$COMMAND" line ran=
  while read -r line; do
    ran=yes
    COMMAND=$line
    candidate=yes
    log "running: $line"
    create_candidate || explain start "$docker_output"
    # In the background, so that we get a signal at once: Docker's client passes a signal on to the
    # container and waits for its end.
    "$DOCKER_PROGRAM" start -a "$NAME.candidate" >&2 9>&- &
    wait $! || fail "command-$1" "$line"
    docker rm -f -v "$NAME.candidate" >/dev/null
    candidate=
  done <<COMMANDS
$2
COMMANDS
  # Some shells write this text to a file. When they cannot, they go on without it.
  [ -n "$ran" ] || fail disk "${TMPDIR:-/tmp}"
  COMMAND=$command_of_app
}

phase_check() { check_candidate; }

check_candidate() {
  local port=
  candidate=yes
  log "starting the candidate $NAME.candidate"
  create_candidate ${HEALTH_PATH:+--publish "127.0.0.1::$HEALTH_PORT"} ||
    explain start "$docker_output"
  docker_output=$(docker start "$NAME.candidate" 2>&1) || explain start "$docker_output"
  [ -z "$HEALTH_PATH" ] || port=$(docker port "$NAME.candidate" "$HEALTH_PORT/tcp" 2>/dev/null |
    sed -n 's/.*://p' | head -n 1)
  if ! await_healthy "$NAME.candidate" "$HEALTH_TIMEOUT" 127.0.0.1 "$port" "$HEALTH_PATH"; then
    show_logs "$NAME.candidate"
    fail unhealthy "$reason"
  fi
  log 'the candidate is healthy'
  docker rm -f -v "$NAME.candidate" >/dev/null 2>&1 && candidate=
}

give_up() {
  show_logs "$NAME.next"
  fail "$1" "$2"
}

phase_switch() {
  eval "set -- $PUBLISH"
  created=yes
  # Others in its networks know the service by its name, which the container gets only later. The
  # default network of Docker has no names.
  case " $NETWORKS " in *' bridge '*) ;; *) network_alias=$NAME ;; esac
  create_next "$@" || explain start "$docker_output"
  network_alias=
  if still_runs; then
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
    stopped=yes
    log "stopping $NAME"
    begin_gap
    docker_output=$(docker stop -t "$STOP_TIMEOUT" "$NAME" 2>&1) || fail stop "$docker_output"
  fi
  log "starting the new $NAME"
  docker_output=$(docker start "$NAME.next" 2>&1) || {
    show_logs "$NAME.next"
    explain start "$docker_output"
  }
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" ||
    give_up unhealthy "$reason"
  end_gap
  report_gap
  report serving "$IMAGE"
}

# Whether the old version runs. An engine that restarts at this moment gives no answer.
still_runs() {
  local state=
  for _ in 1 2 3; do
    [ -z "$previous" ] || state=$(inspect '{{.State.Running}}' "$NAME") && break
    await_engine
  done
  [ "$state" = true ]
}

# The new version serves, here and on all other hosts. Only names are left to change, and no signal
# may interrupt that. The old container is kept. It must never start by itself, not even after a
# reboot when its restart policy is `always`.
phase_commit() {
  trap '' TERM INT HUP PIPE
  # Without this note the next deploy undoes a switch that is killed before its first rename.
  printf '%s' "$RELEASE" 2>/dev/null >"$STATE/committed" ||
    log "the host could not note that the new version stays: $STATE/committed cannot be written"
  committed=yes
  report committed yes
  record deployed "$gap"
  take_names
  retire
  forget_old_secret_files
  prune
  trap interrupted TERM INT HUP PIPE
}

take_names() {
  local old
  # Without an answer there may be no such container, or an engine that restarts.
  old=$(inspect '{{.Id}}' "$NAME") || { await_engine && old=$(inspect '{{.Id}}' "$NAME"); }
  if [ -n "$old" ]; then
    may_take_name || fail name-lost "$NAME.next"
    docker rm -f "$NAME.previous" >/dev/null 2>&1
    printf '%s\n' "$old" >"$STATE/previous"
    docker_output=$(docker rename "$NAME" "$NAME.previous" 2>&1) || fail rename "$docker_output"
  fi
  # Also when a deploy was killed just before this. After a first deploy there is none.
  { [ -z "$old" ] && ! exists "$NAME.previous"; } ||
    docker update --restart=no "$NAME.previous" >/dev/null 2>&1 ||
    log "$NAME.previous may start after a reboot. To prevent this, run on the host:" \
      "docker update --restart=no $NAME.previous"
  docker_output=$(docker rename "$NAME.next" "$NAME" 2>&1) || fail rename "$docker_output"
  rm -f "$STATE/adopted"
}

# An engine that restarts takes commands again after some seconds.
await_engine() {
  local tries=20
  until engine_answers || [ "$tries" = 0 ]; do
    tries=$((tries - 1))
    pause 1
  done
}

# Stops the old container. Behind a proxy it has been running until now, because a rollback would
# have needed it at once. Elsewhere an engine that restarted may have started it.
retire() {
  ! running "$NAME.previous" || docker stop -t "$STOP_TIMEOUT" "$NAME.previous" >/dev/null
}

forget_old_secret_files() {
  local folder kept
  [ -d "$STATE/secrets" ] || return 0
  # Without an answer we would take the files of the kept container for old ones.
  engine_answers || return 0
  kept=$(inspect "{{index .Config.Labels \"$RELEASE_LABEL\"}}" "$NAME.previous")
  for folder in "$STATE"/secrets/*; do
    [ -d "$folder" ] || continue
    case ${folder##*/} in
      "$RELEASE" | "$kept") ;;
      *) rm -rf "$folder" ;;
    esac
  done
}
