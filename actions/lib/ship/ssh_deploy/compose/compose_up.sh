# Starting a compose project: the commands of the user, `up`, and whether all of it is healthy. The
# client sends this once it has answered how compose reads the files.

# Whether we wait for tasks to end, which must not go on running then.
awaiting_tasks=
# What `judge` found: ok, wait or bad; and the container that failed.
verdict=
failed_container=
# How often Docker has started new containers again, by their policy, and in which second we saw it.
restarts=0
crashed_at=0
# With how many restarts this is a loop, and no service that only had to wait for its database. Each
# time that something else is not ready either, the count begins again.
restarts_of_loop=
# The container that ended, and is or was started again.
crashed_container=

phase_before() {
  install_files
  run_tasks before "$BEFORE"
}

phase_after() { run_tasks after "$AFTER"; }

# $1 the input, $2 a line for each task: the service, what it needs or `-`, and the command, quoted
# for `eval`.
run_tasks() {
  local service needed line ran=
  printf '%s\n' "$TASK_OVERRIDE" 2>/dev/null >"$STATE/task.yml" || fail disk "$STATE"
  while read -r service needed line; do
    ran=yes
    log "running in $service: $line"
    [ -n "$committed" ] || start_needed "$needed"
    task_container=$PROJECT-gen-workflow-task
    docker rm -f "$task_container" >/dev/null 2>&1
    run_task "$service" "$line" || fail "command-$1" "$line"
    task_container=
  done <<TASKS
$2
TASKS
  # Some shells write this text to a file. When they cannot, they go on without it.
  [ -n "$ran" ] || fail disk "${TMPDIR:-/tmp}"
}

# Users and neighbours must not find the container of a command. What its image says to Traefik and
# nginx-proxy is overridden.
run_task() {
  local code
  eval "set -- $1 $2"
  # In the background, so that we get a signal at once, and so that our facts do not go where its
  # output goes.
  become_compose "$FOLDER" "$FILES -f ./$OVERRIDE_FILE -f \"\$STATE/task.yml\"" \
    run --rm --no-deps -T --label traefik.enable=false --env VIRTUAL_HOST= \
    --name "$task_container" "$@" </dev/null >&2 &
  compose_process=$!
  wait "$compose_process"
  code=$?
  compose_process=
  return "$code"
}

# A migration needs its database, which does not run yet at the first deploy. What runs already is
# not changed.
start_needed() {
  local each missing=
  for each in $(printf '%s' "$1" | tr ',' ' '); do
    [ "$each" = - ] || each_container | grep -q "^$each [^ ]* [^ ]* [^ ]* running " ||
      missing="$missing $each"
  done
  [ -n "$missing" ] || return 0
  log "starting the services that this command needs:$missing"
  note_switch
  # shellcheck disable=SC2086 # one word each
  bring_up --no-recreate $missing
  await_project "$HEALTH_TIMEOUT" "$missing" || give_up unhealthy "$reason"
}

# Starts services, or all of them when none is named. Compose gives up when something that others
# depend on ends, also when Docker starts that again.
bring_up() {
  local deadline
  deadline=$(($(now) + HEALTH_TIMEOUT))
  until compose_up "$@"; do
    { is_started_again && [ "$(now)" -lt "$deadline" ]; } || explain_up
    pause 1
  done
}

is_started_again() {
  looked_at=$(now)
  judge "$services"
  [ "$verdict" != bad ] && [ -n "$crashed_container" ]
}

# Waits for compose, which waits for what the services depend on. It may wait for ever, so it has a
# limit.
compose_up() {
  local code
  # Two processes write to this file, and each must append.
  true >"$STATE/up-said"
  become_compose "$FOLDER" "$FILES -f ./$OVERRIDE_FILE" up -d --no-build --pull never "$@" \
    >>"$STATE/up-said" 2>&1 &
  compose_process=$!
  limit_compose $((HEALTH_TIMEOUT + 60)) TERM
  wait "$compose_process"
  code=$?
  compose_process=
  end_limit
  sed "s/^ *//" "$STATE/up-said" >&2
  return "$code"
}

# A container that failed says more than compose, which only says that it failed.
explain_up() {
  local words
  judge "$services"
  [ "$verdict" != bad ] || give_up unhealthy "$reason"
  words=$(grep '^it took longer than ' "$STATE/up-said" ||
    grep -v 'level=warning' "$STATE/up-said" | tail -n 1)
  [ "$verdict" != 'wait' ] || words="$words; $reason"
  case $words in 'it took longer than '*) give_up too-slow "$words" ;; esac
  [ -z "$failed_container" ] || show_logs "$failed_container"
  explain start-project "$words"
}

give_up() {
  [ -z "$failed_container" ] || show_logs "$failed_container"
  fail "$1" "$2"
}

# Looks at some services and sets `verdict`; `reason` says why it is not ok. We do not judge a
# container that runs on as before. $1 the services.
judge() {
  local containers service id status again code health started each seen='' crash=''
  containers=$(each_container)
  note_restarts "$containers"
  crashed_container=
  verdict=ok
  reason='the engine does not answer'
  failed_container=
  while read -r service id _ _ status again code health started; do
    { [ -n "$id" ] && is_among "$service" "$1"; } || continue
    seen="$seen $service"
    case $baseline in
      *"$id"*" running "*"$started"*) [ "$status" != running ] || continue ;;
    esac
    if is_crashing "$status" "$again"; then
      crashed_container=$id
      crash="$service: it ended with exit code $code and is started again"
      [ "$status" = restarting ] || crash="$service: it crashed and was started again"
      continue
    fi
    judge_one "$service" "$status" "$code" "$health"
    [ "$verdict" != bad ] || { failed_container=$id && return 0; }
  done <<CONTAINERS
$containers
CONTAINERS
  for each in $EXPECTED; do
    if is_among "$each" "$1" && ! is_among "$each" "$seen"; then
      verdict='wait'
      ! engine_answers || reason="$each: it has no container"
    fi
  done
  [ -z "$crash" ] || judge_crash "$crash"
}

# $1 the containers.
note_restarts() {
  local id again sum=0
  while read -r _ id _ _ _ again _; do
    case $baseline in *"$id"*) ;; *) sum=$((sum + again)) ;; esac
  done <<CONTAINERS
$1
CONTAINERS
  [ "$sum" = "$restarts" ] || { restarts=$sum && crashed_at=$looked_at; }
}

# $1 the status, $2 how often it was started again.
is_crashing() {
  case $1 in
    restarting) ;;
    running) [ "$2" != 0 ] && [ "$looked_at" -lt $((crashed_at + 5)) ] ;;
    *) return 1 ;;
  esac
}

# A service that ends is started again by its policy, and has the time of the others. Only when all
# others are ready and it still ends again and again, it is bad. $1 what happened.
judge_crash() {
  [ "$verdict" = ok ] && [ -n "$restarts_of_loop" ] || restarts_of_loop=$((restarts + 3))
  failed_container=$crashed_container
  if [ "$restarts" -ge "$restarts_of_loop" ]; then
    is_bad "$1 and again"
  else
    is_slow "$1"
  fi
}

# $1 the service, $2 the status, $3 its exit code, $4 its health.
judge_one() {
  case $2 in
    running)
      [ -z "$awaiting_tasks" ] || { is_slow "$1: it has not ended" && return; }
      # Its path decides, and not its HEALTHCHECK.
      [ -n "$HEALTH_PATH" ] && [ "$1" = "$HEALTH_SERVICE" ] && return
      case $4 in
        unhealthy) is_bad "$1: its HEALTHCHECK says unhealthy" ;;
        starting) is_slow "$1: its HEALTHCHECK has not passed" ;;
        healthy) ;;
        *) [ "$looked_at" -ge "$settled_at" ] || is_slow "$1: it has not run for long enough" ;;
      esac
      ;;
    created) is_slow "$1: it has not started" ;;
    *) { [ "$3" = 0 ] && ! ran_before "$1"; } || is_bad "$1: it ended with exit code $3" ;;
  esac
}

# A service that ran before is no task, and must not end.
ran_before() { printf '%s\n' "$baseline" | grep -q "^$1 [^ ]* [^ ]* [^ ]* running "; }

is_bad() { verdict=bad reason=$1; }
is_slow() { verdict='wait' reason=$1; }

# Waits until services are healthy, and then for the path. $1 seconds, $2 the services.
await_project() {
  local first_look deadline
  looked_at=$(now)
  first_look=$looked_at
  deadline=$((looked_at + $1))
  settled_at=$((looked_at + ($1 < 5 ? $1 : 5)))
  while :; do
    judge "$2"
    [ "$verdict" != bad ] || return 1
    if [ "$verdict" = ok ]; then
      [ -n "$HEALTH_PATH" ] && is_among "$HEALTH_SERVICE" "$2" || return 0
      be_patient $((deadline - looked_at))
      probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" "$patience" && return 0
      reason="$HEALTH_SERVICE: GET $HEALTH_PATH on port $HEALTH_HOST_PORT gave $answer"
      failed_container=$(each_container |
        sed -n "s/^$HEALTH_SERVICE \\([^ ]*\\) .*/\\1/p" | head -n 1)
    fi
    [ "$looked_at" -lt "$deadline" ] || return 1
    pause_between_looks "$first_look" 0.2
    looked_at=$(now)
  done
}

phase_switch() {
  install_files
  note_switch
  [ -z "$(images_that_run)" ] || {
    keep_room
    note_answer
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
  }
  log "starting the project $PROJECT"
  [ -z "$TASKS" ] || [ -z "$(running_in "$baseline")" ] || run_tasks_first
  remove_orphans "$(cat "$release/services")" "$UNDO/our-files"
  bring_up
  await_project "$HEALTH_TIMEOUT" "$services" || give_up unhealthy "$reason"
  end_gap
  report_gap
}

# Without this, compose would stop what serves and only then run what it waits for, such as a
# migration. So the tasks run first, and when one fails, what serves is not touched. They run once
# more with the rest, as they do each time that compose brings a project up.
run_tasks_first() {
  # shellcheck disable=SC2086 # one word each
  bring_up $TASKS
  awaiting_tasks=yes
  await_project $((HEALTH_TIMEOUT + 60)) "$TASKS" || give_up unhealthy "$reason"
  awaiting_tasks=
}

# One rename decides. Whatever ends the session after it, the next deploy knows the decision.
phase_commit() {
  trap '' TERM INT HUP PIPE
  { mv "$release/tried" "$release/deployed" && mv -f "$STATE/current.new" "$STATE/current"; } ||
    fail disk "$STATE"
  committed=yes
  report committed yes
  report serving "$(what_serves)"
  [ -z "$SOURCE" ] || printf '%s' "$SOURCE" >"$STATE/source" 2>/dev/null
  [ -z "$ENVIRONMENT" ] || printf '%s' "$ENVIRONMENT" >"$STATE/environment" 2>/dev/null
  remove_undo_notes
  record deployed "$gap"
  remove_old_releases
  prune
  trap interrupted TERM INT HUP PIPE
}

# Prints `answered` when the path was asked, or a HEALTHCHECK of each of our services.
what_serves() {
  [ -z "$HEALTH_PATH" ] || { echo answered && return; }
  each_container | awk -v ours=" $PINNED " '
    index(ours, " " $1 " ") { found = 1; if ($8 != "healthy") unasked = 1 }
    END { print found && !unasked ? "answered" : "running" }'
}

remove_old_releases() {
  local each left="$KEEP"
  for each in $(cd "$RELEASES" && printf '%s\n' * | sort -r); do
    if [ -e "$RELEASES/$each/deployed" ] && [ "$left" -gt 0 ]; then
      left=$((left - 1))
    else
      rm -rf "${RELEASES:?}/$each"
    fi
  done
}
