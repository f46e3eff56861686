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
# The restart policy that NAME.next is made with, when it is not RESTART.
first_restart=
# Whether the old container has the restart policy `no`, as a container that is kept has to.
old_never_starts=
# Whether the new version stays, whatever comes now.
committed=
# Whether the image is here, so that the history gets a line.
pulled=
# The folder with the secret files of this release.
secrets_folder=
# What the service does when this deploy has failed, as it was told: answered, running or nobody.
serving=
# What the old container does: answered, running, failing or down; nothing when the engine does not
# say.
old_state=
# The restart policy of the old container.
old_restart=
# Whether the old container passed the check of this deploy before its stop.
passed_before=
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
  restore_restart
  [ -n "$created" ] || [ -z "$pulled" ] || record refused
  rm -f "$STATE/adopted"
  [ -z "$SECRET_FILES" ] || rm -rf "$STATE/secrets/$RELEASE"
  [ -n "$serving" ] || [ -z "$previous" ] || report_untouched
  # What does not run can still be removed: then the next deploy needs the note.
  [ ! -e "$DEFINITION" ] || ! running "$NAME" || forget_definition
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
    start_old
    if running "$NAME"; then
      report_rollback
      return 0
    fi
    # Each try to make it again pulls, which may take long.
    [ "$tries" -le 3 ] || ! is_removed "$NAME" || tries=3
    # On a full disk nothing starts. The new image is what we can remove.
    [ "$tries" -gt 25 ] || docker rmi "$IMAGE" >/dev/null 2>&1
    tries=$((tries - 1))
    sleep 1
  done
  report lost "$NAME"
  report_serving nobody "$docker_output"
  record failed
}

start_old() {
  docker_output=$(docker start "$NAME" 2>&1) && return
  is_removed "$NAME" && make_again "$NAME" && docker_output=$(docker start "$NAME" 2>&1)
}

# A check that the old version did not pass before either does not become good by waiting.
report_rollback() {
  local seconds="$HEALTH_TIMEOUT"
  [ -n "$passed_before" ] || [ "$seconds" -le 10 ] || seconds=10
  report restored "$(image_of "$NAME")"
  [ -n "$HEALTH_PATH" ] || end_gap
  ask_old "$seconds" 2
  end_gap
  report_gap
  report_old
  # So that the history gets this line alone, and not one more for a deploy that changed nothing.
  pulled=
  if [ "$serving" = nobody ]; then record failed "$gap"; else record rolled-back "$gap"; fi
}

# Tells what the service does now, as far as it was asked. $1 answered, running or nobody, $2 why it
# is not `answered`, when there is a reason.
report_serving() {
  serving=$1
  report silence "$(printf '%s' "${2:-}" | tr '\n' ' ')"
  report serving "$serving"
}

# Tells what the old container does. A check of this deploy that it did not pass before
# either says little of it, because the path or the port may be new: then it runs.
report_old() {
  case $old_state in
    answered | running) report_serving "$old_state" ;;
    failing)
      if [ -n "$passed_before" ]; then
        report_serving nobody "it runs, but does not pass its health check: $reason"
      else
        report_serving running "$reason"
      fi
      ;;
    down) report_serving nobody "$reason" ;;
  esac
}

# Notes whether the old container passes its check before it stops.
note_health() { ! ask_old_once || passed_before=yes; }

# Without a program that can ask, the session ends because of that.
report_untouched() {
  [ -z "$HEALTH_PATH" ] || has_http_client || return 0
  ask_old_once
  report_old
}

has_http_client() { command -v curl || command -v bash || command -v wget; } >/dev/null 2>&1

# Asks the old container until it passes: it may need time to start, and more than one start.
# $1 the seconds it gets, $2 the seconds it has to run when nothing can be asked.
ask_old() {
  local first_look
  health_failure=
  looked_at=$(now)
  first_look=$looked_at
  health_deadline=$((looked_at + $1))
  settled_at=$((looked_at + $2))
  until look_at_old || [ "$looked_at" -ge "$health_deadline" ]; do
    pause_between_looks "$first_look" 0.1
    looked_at=$(now)
  done
}

# It has a few seconds for an answer.
ask_old_once() {
  looked_at=$(now)
  health_deadline=$((looked_at + 5))
  settled_at=$looked_at
  look_at_old
}

# Looks at the old container once and sets `old_state`. Returns whether it is as it has to be.
look_at_old() {
  local state
  state=$(inspect \
    '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' "$NAME")
  old_state=down
  case $state in
    running*) old_state=failing && is_old_healthy "${state##* }" || return 1 ;;
    '')
      reason='its container was removed'
      engine_answers || old_state=
      return 1
      ;;
    *) reason="its container does not run (${state% *})" && return 1 ;;
  esac
  old_state=answered
  [ "$HEALTH_PATH$HEALTH_COMMAND${state##* }" != none ] || old_state=running
}

# $1 what its HEALTHCHECK says.
is_old_healthy() {
  if [ "$HEALTH_PATH$HEALTH_COMMAND$1" = unhealthy ]; then
    reason='its HEALTHCHECK says unhealthy'
    return 1
  fi
  is_healthy "$NAME" "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" "$1"
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
  local first_look state format='{{.State.Status}} {{.RestartCount}}'
  # A path or a command decides alone.
  if [ -n "$HEALTH_PATH$HEALTH_COMMAND" ]; then
    format="$format none"
  else
    format="$format {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
  fi
  health_failure=
  looked_at=$(now)
  first_look=$looked_at
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
        # An engine that restarts starts the old container, whose policy is `always`, and not this.
        [ -z "$stopped" ] || [ "$first_restart" != no ] || ! running "$NAME" ||
          reason='the engine restarted, and has started the previous container'
        return 1
        ;;
    esac
    [ "$looked_at" -lt "$health_deadline" ] || return 1
    pause_between_looks "$first_look" 0.1
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
  ! bring_removed_back || containers="$containers$NAME "
  case $containers in *" $NAME.candidate "*) remove_left_over "$NAME.candidate" ;; esac
  case $containers in *" $NAME.next "*) recover_next ;; esac
  restore_restart
}

# A deploy was killed in its switch, and then another program has removed the old container, which
# did not run. It starts here, or in place of what that deploy has left.
bring_removed_back() {
  [ -e "$DEFINITION" ] && is_removed "$NAME" && ! is_committed || return 1
  report recovered yes
  make_again "$NAME" || {
    log "the container $NAME could not be made again: $docker_output"
    return 1
  }
  exists "$NAME.next" || docker start "$NAME" >/dev/null 2>&1 ||
    log "$NAME does not start: the service is down until the new version runs"
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
      tell "an earlier deploy was killed: $NAME.next is the only container left and becomes $NAME"
      pass_restart_on
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
  tell "an earlier deploy was killed after its switch: its $NAME.next stays and becomes $NAME"
  pass_restart_on
  take_names
}

# From here on this deploy has to bring the old version back, whatever ends it. An old version that
# was broken before and does not start must not stop the deploy that may repair it.
roll_back_killed() {
  tell "an earlier deploy was killed in its switch: the host removes its container $NAME.next"
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

phase_look() { check_docker; }

phase_prepare() {
  local port network
  check_service
  recover
  adopt
  look_at_service
  check_commit
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
  docker_output=$(with_app_environment "$@" 2>&1) || {
    # Other programs remove an image that no container uses yet.
    ! has_image "$IMAGE" && pull_again "$IMAGE" || return 1
    docker_output=$(with_app_environment "$@" 2>&1) || return 1
  }
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
  create "$NAME.next" --restart "${first_restart:-$RESTART}" "$@"
}

# Starts a container that was just made. One that does not run yet is what other programs remove,
# with its networks and its image. $1 its name, then the command that has made it.
start_new() {
  local container="$1"
  shift
  docker_output=$(docker start "$container" 2>&1) && return
  is_removed "$container" || return 1
  tell "another program has removed the new container $container: the host makes it again"
  make_networks_again
  "$@" && docker_output=$(docker start "$container" 2>&1)
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
  set -- ${HEALTH_PATH:+--publish "127.0.0.1::$HEALTH_PORT"}
  create_candidate "$@" || explain start "$docker_output"
  start_new "$NAME.candidate" create_candidate "$@" || explain start "$docker_output"
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
  local old_runs=
  eval "set -- $PUBLISH"
  ! still_runs || old_runs=yes
  created=yes
  [ -z "$old_runs" ] || keep_startable
  # Others in its networks know the service by its name, which the container gets only later. The
  # default network of Docker has no names.
  case " $NETWORKS " in *' bridge '*) ;; *) network_alias=$NAME ;; esac
  create_next "$@" || explain start "$docker_output"
  if [ -n "$old_runs" ]; then
    note_definition "$NAME"
    note_health
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
    stopped=yes
    log "stopping $NAME"
    begin_gap
    docker_output=$(docker stop -t "$STOP_TIMEOUT" "$NAME" 2>&1) || fail stop "$docker_output"
  fi
  log "starting the new $NAME"
  start_new "$NAME.next" create_next "$@" || {
    show_logs "$NAME.next"
    explain start "$docker_output"
  }
  network_alias=
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" ||
    give_up unhealthy "$reason"
  end_gap
  report_gap
}

# Whether the old version runs. An engine that restarts at this moment gives no answer.
still_runs() {
  local state='' format='{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}'
  for _ in 1 2 3; do
    [ -z "$previous" ] || state=$(inspect "$format" "$NAME") && break
    await_engine
  done
  old_restart=${state#* }
  [ "${state%% *}" = true ]
}

# Until the new version is known to be healthy, the old one is what starts with the host, and only
# that. The engine does not start what was stopped, unless its policy is `always`. With other
# policies the old one did not start with the host before either. Until the names are right, a file
# holds the restart policy of the old container, and that of the new one.
keep_startable() {
  case $old_restart in always | unless-stopped) ;; *) return 0 ;; esac
  printf '%s %s\n' "$old_restart" "$RESTART" 2>/dev/null >"$STATE/restart" || return 0
  if [ "$old_restart" = always ] || docker update --restart=always "$NAME" >/dev/null 2>&1; then
    first_restart=no
  else
    rm -f "$STATE/restart"
  fi
}

# The old version serves on, with its own restart policy. One that a failed deploy could not start
# again gets it later; what that deploy wanted for its own container is not wanted any more.
restore_restart() {
  local policy
  policy=$(cut -d ' ' -f 1 "$STATE/restart" 2>/dev/null)
  [ -n "$policy" ] || return 0
  if running "$NAME"; then
    docker update --restart="$policy" "$NAME" >/dev/null 2>&1 && rm -f "$STATE/restart"
  else
    printf '%s %s\n' "$policy" "$RESTART" 2>/dev/null >"$STATE/restart"
  fi
}

# The new container stays, and is what starts with the host from now on.
pass_restart_on() {
  local policy
  policy=$(cut -d ' ' -f 2 "$STATE/restart" 2>/dev/null)
  [ -n "$policy" ] || return 0
  docker update --restart="$policy" "$NAME.next" >/dev/null 2>&1 || {
    await_engine
    docker update --restart="$policy" "$NAME.next" >/dev/null 2>&1
  } || tell "$NAME may not start after a reboot. To prevent this, run on the host:" \
    "docker update --restart=$policy $NAME"
  docker update --restart=no "$NAME" >/dev/null 2>&1 && old_never_starts=yes
}

# The new version serves, here and on all other hosts. Only names are left to change, and no signal
# may interrupt that. The old container is kept. It must never start by itself, not even after a
# reboot when its restart policy is `always`.
phase_commit() {
  trap '' TERM INT HUP PIPE
  pass_restart_on
  # Without this note the next deploy undoes a switch that is killed before its first rename.
  printf '%s' "$RELEASE" 2>/dev/null >"$STATE/committed" ||
    tell "the host could not note that the new version stays: $STATE/committed cannot be written"
  committed=yes
  report committed yes
  report_new
  note_digest
  forget_definition
  record deployed "$gap"
  take_names
  retire
  forget_old_secret_files
  prune
  trap interrupted TERM INT HUP PIPE
}

# The new version was found healthy, by an answer where there was something to ask.
report_new() {
  if [ -n "$HEALTH_PATH$HEALTH_COMMAND" ] ||
    [ "$(inspect '{{if .State.Health}}asked{{end}}' "$NAME.next")" = asked ]; then
    report_serving answered
  else
    report_serving running
  fi
}

# The history names the old image by its digest: when a later deploy goes back to it, its tag may
# mean another image, and the kept container may be gone.
note_digest() {
  local noted
  noted=$(sed -n 's/^image \(.*@.*\)/\1/p' "$DEFINITION" 2>/dev/null)
  previous=${noted:-$previous}
}

take_names() {
  local old
  # Without an answer there may be no such container, or an engine that restarts.
  old=$(inspect '{{.Id}}' "$NAME") || { await_engine && old=$(inspect '{{.Id}}' "$NAME"); }
  if [ -n "$old" ]; then
    may_take_name || fail name-lost "$NAME.next"
    docker rm -f "$NAME.previous" >/dev/null 2>&1
    printf '%s\n' "$old" >"$STATE/previous"
    # Another program may remove it in this moment. It is not needed any more.
    docker_output=$(docker rename "$NAME" "$NAME.previous" 2>&1) || is_removed "$NAME" ||
      fail rename "$docker_output"
  fi
  # Also when a deploy was killed just before this. After a first deploy there is none.
  [ -n "$old_never_starts" ] || { [ -z "$old" ] && ! exists "$NAME.previous"; } ||
    docker update --restart=no "$NAME.previous" >/dev/null 2>&1 ||
    tell "$NAME.previous may start after a reboot. To prevent this, run on the host:" \
      "docker update --restart=no $NAME.previous"
  docker_output=$(docker rename "$NAME.next" "$NAME" 2>&1) || fail rename "$docker_output"
  rm -f "$STATE/adopted" "$STATE/restart"
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
  running "$NAME.previous" || return 0
  docker stop -t "$STOP_TIMEOUT" "$NAME.previous" >/dev/null
  # The engine that has started the old container has not started the new one.
  [ -z "$first_restart" ] || docker start "$NAME" >/dev/null
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
