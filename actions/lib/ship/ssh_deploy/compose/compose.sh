# A compose project. Its files are replaced in a folder that stays, and compose replaces the
# containers that differ. A release is a folder in the state with all that was uploaded. During a
# deploy there are notes for its undo: `undo` in the state, and the replaced files beside the live
# ones, so that one rename brings each back.
#
# Where a file is made empty, the command is `true`: `:` would end the shell when it cannot. Where a
# path is read, IFS is empty: a blank at the beginning or at the end belongs to the name.
#
# PROJECT (parameter): the name of the project; the one that containers of this folder have.
# FOLDER (parameter): the folder of the project, as a full path once it is open.
# FILES (parameter): the compose files as options for `eval`; those of the release to go back to.
# HEALTH_SERVICE (parameter): the service whose health path is asked; the first of ours that starts.

RELEASES=$STATE/releases
UNDO=$STATE/undo
SERVICE_LABEL=com.docker.compose.service
PROJECT_LABEL=com.docker.compose.project
NO_TASKS=label=com.docker.compose.oneoff=False
# What we read of a container, in names that Docker checks: with others, such as `.Id`, a container
# without a HEALTHCHECK would be an error.
CONTAINER_FORMAT="{{index .Config.Labels \"$SERVICE_LABEL\"}} {{.ID}} {{.Image}} {{.Config.Image}}"
CONTAINER_FORMAT="$CONTAINER_FORMAT {{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}"
CONTAINER_FORMAT="$CONTAINER_FORMAT {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
CONTAINER_FORMAT="$CONTAINER_FORMAT {{.State.StartedAt}}"
OLDEST_COMPOSE=2.24
# The client sends these once it knows them.
PINNED=
HEALTH_SERVICE=
HEALTH_HOST_PORT=
# What the containers of commands do not get of their services, as a compose file.
TASK_OVERRIDE=

# The folder of this release, and the name of the release that serves.
release=
kept_release=
# The folder of the project, when this deploy made it.
made_folder=
# The folder for the replaced files.
aside=
# The folder as it will be, within a tree from the root on.
view=$STATE/view
# Whether the files of this release are in the folder, so that there is something to undo.
installed=
# Whether the new version stays, whatever comes now.
committed=
# What the history gets when the deploy does not commit.
result=refused
# The services that start, and the images of services that are not ours.
services=
other_images=
# The process of compose that runs beside us, and the one that limits its time.
compose_process=
limit_process=
# The container of the task that runs.
task_container=
# The containers of the project before this deploy, one line each.
baseline=
# Whether we wait for tasks to end, which must not go on running then.
awaiting_tasks=
# What `judge` found: ok, wait or bad; and the container that failed.
verdict=
failed_container=

check_compose() {
  local version minor
  version=$(docker compose version --short 2>/dev/null)
  version=${version#v}
  case $version in
    [0-9]*.[0-9]*) ;;
    *)
      docker_output=$(docker version 2>&1 | sed -n '/^WARNING: Error loading config file/p')
      [ -z "$docker_output" ] || fail docker-config "$docker_output"
      fail no-compose "$(docker-compose version --short 2>/dev/null |
        sed 's/^/only docker-compose /')"
      ;;
  esac
  minor=${version#*.}
  minor=${minor%%[!0-9]*}
  [ $((${version%%.*} * 1000 + minor)) -ge 2024 ] ||
    fail old-compose "$version; the deploy needs $OLDEST_COMPOSE or newer"
}

# Becomes compose. $1 the folder, $2 its files as options for `eval`. A variable of this login must
# not hide what the user wrote into `.env`. `-p` is what compose itself would choose, once we know
# it.
become_compose() {
  local files="$2" name
  cd "$1" || exit
  shift 2
  eval "set -- docker compose ${PROJECT:+-p \"\$PROJECT\"} $files \"\$@\""
  for name in $ENV_NAMES; do set -- -u "$name" "$@"; done
  exec env "$@" 9>&-
}

compose() { (become_compose "$@"); }

phase_look() {
  local tool
  check_docker
  check_compose
  for tool in base64 tar gzip; do
    command -v "$tool" >/dev/null 2>&1 || fail no-tool "$tool"
  done
}

phase_prepare() {
  open_folder
  recover
  look_at_current
  if [ -n "$ROLLBACK" ]; then take_release; else unpack; fi
  read_project
}

open_folder() {
  local home="${HOME:-}"
  home=${home%/}
  case $FOLDER in /*) ;; .) FOLDER=$home ;; *) FOLDER=$home/$FOLDER ;; esac
  check_owner
  [ -d "$FOLDER" ] || made_folder=$FOLDER
  (umask 022 && mkdir -p "$FOLDER") 2>/dev/null
  { [ -d "$FOLDER" ] && [ -w "$FOLDER" ]; } || fail no-folder "$FOLDER"
  use_folder "$FOLDER"
  report folder "$FOLDER"
  mkdir -p "$RELEASES" 2>/dev/null || fail disk "$RELEASES"
}

use_folder() {
  FOLDER=$1
  aside=$1/.gen-workflow-files
}

# The state is that of one project: another project of this name would take its files for its own.
# A state without a note is older than these notes. A folder that is gone was moved.
check_owner() {
  local noted
  check_source "$(cat "$STATE/source" 2>/dev/null)"
  noted=$(cat "$RELEASES/$(cat "$STATE/current" 2>/dev/null)/folder" 2>/dev/null)
  [ ! -d "$noted" ] ||
    [ "$(cd "$noted" && pwd -P)" = "$(cd "$FOLDER" 2>/dev/null && pwd -P)" ] ||
    fail name-taken "$noted"
}

phase_pull() {
  local each
  look_at_project
  finish_release
  printf '%s\n' "$MOUNTED" | while IFS= read -r each; do
    [ -z "$each" ] || [ -e "$view$FOLDER/$each" ] || { echo "$each" && break; }
  done >"$STATE/said"
  [ ! -s "$STATE/said" ] || fail not-uploaded "$(cat "$STATE/said")"
  for each in $BUILT; do
    docker image inspect "$PROJECT-$each" >/dev/null 2>&1 || fail not-built "$each"
  done
  pull_all
  rm -rf "$view"
  report image "$IMAGE"
}

projects_in() {
  docker ps -a --filter "label=$PROJECT_LABEL.working_dir=$1" \
    --format "{{.Label \"$PROJECT_LABEL\"}}"
}

# A project that was started in this folder by hand keeps its name, or it would run twice.
look_at_project() {
  local here elsewhere images
  here=$({ projects_in "$FOLDER" && projects_in "$(cd "$FOLDER" && pwd -P)"; } | sort -u)
  case "
$here
" in
    *"
$PROJECT
"*) ;;
    *)
      [ -z "$here" ] || [ -z "$SAID_PROJECT" ] || fail other-project "$here"
      # Several names, or one that compose would never take: anybody may write such a label.
      case $here in [!a-z0-9]* | *[!a-z0-9_-]*) fail other-project "$here" ;; esac
      [ -z "$here" ] || log "the containers of this folder belong to the project $here"
      PROJECT=${here:-$PROJECT}
      ;;
  esac
  elsewhere=$(docker ps --filter "label=$PROJECT_LABEL=$PROJECT" \
    --format "{{.Label \"$PROJECT_LABEL.working_dir\"}}" |
    grep -vxF -e "$FOLDER" -e "$(cd "$FOLDER" && pwd -P)" | head -n 1)
  [ -z "$elsewhere" ] || fail other-folder "$PROJECT runs from $elsewhere"
  baseline=$(each_container)
  note_difference environment "$(cat "$STATE/environment" 2>/dev/null)" "$ENVIRONMENT"
  note_difference service "$(running_in "$baseline" | tr '\n' ' ')" "$EXPECTED"
  stop_if_different
  images=$(images_that_run)
  [ -n "$previous" ] || previous=$images
  report previous "$previous"
  [ -z "$images" ] || report before "$images"
}

# Prints one line in the form of CONTAINER_FORMAT for each container of the project without tasks.
each_container() {
  docker ps -aq --no-trunc --filter "label=$PROJECT_LABEL=$PROJECT" --filter "$NO_TASKS" \
    2>/dev/null | xargs -r docker container inspect --format "$CONTAINER_FORMAT" 2>/dev/null 9>&-
}

# $1 a word, $2 words with a blank between them.
is_among() {
  case " $2 " in *" $1 "*) return 0 ;; esac
  return 1
}

# Prints the images of our services, as they were asked for, each once.
images_that_run() {
  local service image status
  each_container | while read -r service _ _ image status _; do
    [ "$status" != running ] || ! is_among "$service" "$PINNED" || echo "$image"
  done | awk '!seen[$0]++' | tr '\n' ' ' | sed 's/ $//'
}

pull_all() {
  local each
  log_in "$IMAGE"
  for each in $IMAGE; do
    check_space "$each" "${previous%% *}"
    pull "$each"
  done
  for each in $other_images; do
    docker image inspect "$each" >/dev/null 2>&1 || pull "$each"
  done
  log_out
}

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

# Starts services, or all of them when none is named, and waits for compose, which waits for what
# they depend on. Compose may wait for ever, so it has a limit.
bring_up() {
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
  [ "$code" = 0 ] || explain_up
}

# Sends compose a signal after some seconds. Older clients of Docker do not pass a signal on to
# their plugin. $1 the seconds, $2 the signal.
limit_compose() {
  local limit_at
  (
    trap - INT HUP PIPE EXIT
    trap 'exit 0' TERM
    limit_at=$(($(now) + $1))
    while [ "$(now)" -lt "$limit_at" ]; do sleep 1; done
    echo "it took longer than $1 s" >>"$STATE/up-said"
    pkill "-$2" -P "$compose_process"
    kill "-$2" "$compose_process"
  ) >/dev/null 2>&1 9>&- &
  limit_process=$!
}

end_limit() { kill "$limit_process" 2>/dev/null; }

stop_compose() {
  [ -n "$compose_process" ] || return 0
  pkill -TERM -P "$compose_process" 2>/dev/null
  kill "$compose_process" 2>/dev/null
  limit_compose 10 KILL
  wait "$compose_process" 2>/dev/null
  compose_process=
  end_limit
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
  local service id status restarts code health started each seen=
  verdict=ok
  reason='the engine does not answer'
  failed_container=
  while read -r service id _ _ status restarts code health started; do
    { [ -n "$id" ] && is_among "$service" "$1"; } || continue
    seen="$seen $service"
    case $baseline in
      *"$id"*" running "*"$started"*) [ "$status" != running ] || continue ;;
    esac
    judge_one "$service" "$status" "$restarts" "$code" "$health"
    [ "$verdict" != bad ] || { failed_container=$id && return 0; }
  done <<CONTAINERS
$(each_container)
CONTAINERS
  for each in $EXPECTED; do
    if is_among "$each" "$1" && ! is_among "$each" "$seen"; then
      verdict='wait'
      ! engine_answers || reason="$each: it has no container"
    fi
  done
}

# $1 the service, $2 the status, $3 how often it was started again, $4 its exit code, $5 its health.
judge_one() {
  case $2 in
    running)
      [ -z "$awaiting_tasks" ] || { is_slow "$1: it has not ended" && return; }
      [ "$3" = 0 ] || { is_bad "$1: it crashed and was started again" && return; }
      # Its path decides, and not its HEALTHCHECK.
      [ -n "$HEALTH_PATH" ] && [ "$1" = "$HEALTH_SERVICE" ] && return
      case $5 in
        unhealthy) is_bad "$1: its HEALTHCHECK says unhealthy" ;;
        starting) is_slow "$1: its HEALTHCHECK has not passed" ;;
        healthy) ;;
        *) [ "$looked_at" -ge "$settled_at" ] || is_slow "$1: it has not run for long enough" ;;
      esac
      ;;
    restarting) is_bad "$1: it ended with exit code $4 and is started again and again" ;;
    created) is_slow "$1: it has not started" ;;
    *) { [ "$4" = 0 ] && ! ran_before "$1"; } || is_bad "$1: it ended with exit code $4" ;;
  esac
}

# A service that ran before is no task, and must not end.
ran_before() { printf '%s\n' "$baseline" | grep -q "^$1 [^ ]* [^ ]* [^ ]* running "; }

is_bad() { verdict=bad reason=$1; }
is_slow() { verdict='wait' reason=$1; }

# Waits until services are healthy, and then for the path. $1 seconds, $2 the services.
await_project() {
  local deadline
  looked_at=$(now)
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
    pause 0.2
    looked_at=$(now)
  done
}

# Removes the containers of services that the files no longer have, before all else, since they may
# hold a port. Containers that were made with files that are not ours stay. $1 the services of the
# files, $2 a list of the files that are ours.
remove_orphans() {
  local id service files
  docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" --filter "$NO_TASKS" --format \
    "{{.ID}} {{.Label \"$SERVICE_LABEL\"}} {{.Label \"$PROJECT_LABEL.config_files\"}}" \
    2>/dev/null | while read -r id service files; do
    is_among "$service" "$1" && continue
    if printf '%s' "$files" | tr ',' '\n' | grep -qvxF -f "$2"; then
      log "the service $service was started with other compose files: it keeps running"
    else
      log "the service $service is no longer in the compose files: the host removes its container"
      { docker stop "$id" && docker rm "$id"; } >/dev/null 2>&1 ||
        log "the container $id of the service $service could not be removed"
    fi
  done
}

phase_switch() {
  install_files
  note_switch
  [ -z "$(images_that_run)" ] || watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
  log "starting the project $PROJECT"
  [ -z "$TASKS" ] || [ -z "$(running_in "$baseline")" ] || run_tasks_first
  remove_orphans "$(cat "$release/services")" "$UNDO/our-files"
  bring_up
  await_project "$HEALTH_TIMEOUT" "$services" || give_up unhealthy "$reason"
  end_gap
  report_gap
  report serving "$IMAGE"
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

# Prints the services of which a container runs. $1 lines as of `each_container`.
running_in() {
  printf '%s\n' "$1" | sed -n 's/^\([^ ]*\) [^ ]* [^ ]* [^ ]* running .*/\1/p' | sort -u
}

# One rename decides. Whatever ends the session after it, the next deploy knows the decision.
phase_commit() {
  trap '' TERM INT HUP PIPE
  { mv "$release/tried" "$release/deployed" && mv -f "$STATE/current.new" "$STATE/current"; } ||
    fail disk "$STATE"
  committed=yes
  report committed yes
  [ -z "$SOURCE" ] || printf '%s' "$SOURCE" >"$STATE/source" 2>/dev/null
  [ -z "$ENVIRONMENT" ] || printf '%s' "$ENVIRONMENT" >"$STATE/environment" 2>/dev/null
  remove_undo_notes
  record deployed "$gap"
  remove_old_releases
  prune
  trap interrupted TERM INT HUP PIPE
}

# Undoes what is not committed, whatever ends the session.
clean_up() {
  log_out
  stop_compose
  [ -z "$task_container" ] || docker rm -f "$task_container" >/dev/null 2>&1
  rm -rf "$view" "$STATE/said" "$STATE/up-said" "$UNDO.new" "$STATE/current.new"
  [ -z "$committed" ] || return 0
  [ -z "$installed" ] || undo
  end_gap
  [ ! -d "${release:-none}" ] || record "$result" "$gap"
  [ -z "$release" ] || rm -rf "$release" "$release.new"
  [ -z "$aside" ] || [ -d "$UNDO" ] || rm -rf "$aside"
  # Only when it is empty.
  [ -z "$made_folder" ] || rmdir "$made_folder" 2>/dev/null
}
