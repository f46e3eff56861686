# A compose project: its files are swapped in a folder that stays, and compose replaces what differs.
# A release is a folder in the state with all that was uploaded. While a deploy is under way, the way
# back is written down: `undo` in the state, and the replaced files beside the live ones, where each
# is one rename away.

# Where a file is made empty it is by `true`: `:` would end the shell when it cannot.

RELEASES=$STATE/releases
UNDO=$STATE/undo
SERVICE_LABEL=com.docker.compose.service
PROJECT_LABEL=com.docker.compose.project
# What there is to know of a container, in the names that are typed: with others, such as `.Id`, a
# container without a HEALTHCHECK would be an error.
LOOK="{{index .Config.Labels \"$SERVICE_LABEL\"}} {{.ID}} {{.Image}} {{.Config.Image}} {{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.StartedAt}}"
OLDEST_COMPOSE=2.24

release=
made_folder=
kept_release=
installed=
committed=
previous=
up=
task=
baseline=
recovering=
unmoved=
ending=
PINNED=
HEALTH_SERVICE=
HEALTH_HOST_PORT=

check_compose() {
  version=$(docker compose version --short 2>/dev/null)
  version=${version#v}
  case $version in
    [0-9]*.[0-9]*) ;;
    *) fail no-compose "$(docker-compose version --short 2>/dev/null | sed 's/^/only docker-compose /')" ;;
  esac
  minor=${version#*.}
  minor=${minor%%[!0-9]*}
  [ $((${version%%.*} * 1000 + minor)) -ge 2024 ] || fail old-compose "$version; $OLDEST_COMPOSE is the oldest that is known to work"
}

# Becomes compose. $1 the folder, $2 its files as options for `eval`. What a person wrote into `.env`
# must not be hidden by a variable of this login. `-p` is what compose itself would choose, once that is
# known.
become_compose() {
  cd "$1" || exit
  files=$2
  shift 2
  eval "set -- docker compose ${PROJECT:+-p \"\$PROJECT\"} $files \"\$@\""
  # shellcheck disable=SC2086 # one word each
  [ -z "$ENV_NAMES" ] || unset $ENV_NAMES
  exec "$@"
}

compose() { (become_compose "$@"); }

# With what a release consists of: the files of the person, and the images over them.
live() { compose "$FOLDER" "$FILES -f ./$OVERRIDE_FILE" "$@"; }

phase_look() {
  check_docker
  check_compose
  for tool in base64 tar gzip; do command -v "$tool" >/dev/null 2>&1 || fail no-tool "$tool"; done
}

phase_prepare() {
  open_folder
  recover
  look_at_current
  if [ -n "$ROLLBACK" ]; then take_release; else unpack; fi
  make_view
  ask_compose
}

open_folder() {
  case $FOLDER in /*) ;; .) FOLDER=${HOME:-} ;; *) FOLDER=${HOME:-}/$FOLDER ;; esac
  check_owner
  [ -d "$FOLDER" ] || made_folder=$FOLDER
  (umask 022 && mkdir -p "$FOLDER") 2>/dev/null
  { [ -d "$FOLDER" ] && [ -w "$FOLDER" ]; } || fail no-folder "$FOLDER"
  use_folder "$FOLDER"
  tell folder "$FOLDER"
  mkdir -p "$RELEASES" 2>/dev/null || fail disk "$RELEASES"
}

use_folder() {
  FOLDER=$1
  aside=$1/.gen-workflow-files
}

# What is in the state is that of one project: another of this name would take its files for its own.
# One without a note is from before there were any, and one whose folder is no more was moved.
check_owner() {
  check_source "$(cat "$STATE/source" 2>/dev/null)"
  noted=$(cat "$RELEASES/$(cat "$STATE/current" 2>/dev/null)/folder" 2>/dev/null)
  [ ! -d "$noted" ] || [ "$(cd "$noted" && pwd -P)" = "$(cd "$FOLDER" 2>/dev/null && pwd -P)" ] || fail name-taken "$noted"
}

phase_pull() {
  look_at_project
  finish_release
  printf '%s\n' "$MOUNTED" | while read -r each; do
    [ -z "$each" ] || [ -e "$view$FOLDER/$each" ] || { echo "$each" && break; }
  done >"$STATE/said"
  [ ! -s "$STATE/said" ] || fail not-uploaded "$(cat "$STATE/said")"
  for each in $BUILT; do
    docker image inspect "$PROJECT-$each" >/dev/null 2>&1 || fail not-built "$each"
  done
  pull_all
  rm -rf "$view"
  tell image "$IMAGE"
}

projects_in() { docker ps -a --filter "label=$PROJECT_LABEL.working_dir=$1" --format "{{.Label \"$PROJECT_LABEL\"}}"; }

# What somebody started in this folder goes on under its name, as nothing may run twice.
look_at_project() {
  here=$({ projects_in "$FOLDER" && projects_in "$(cd "$FOLDER" && pwd -P)"; } | sort -u)
  case "
$here
" in
    *"
$PROJECT
"*) ;;
    *)
      [ -z "$here" ] || [ -z "$SAID_PROJECT" ] || fail other-project "$here"
      # Several, or what compose would never take for a name: anybody may write such a label.
      case $here in [!a-z0-9]* | *[!a-z0-9_-]*) fail other-project "$here" ;; esac
      [ -z "$here" ] || say "the project of this folder is called $here"
      PROJECT=${here:-$PROJECT}
      ;;
  esac
  elsewhere=$(docker ps --filter "label=$PROJECT_LABEL=$PROJECT" --format "{{.Label \"$PROJECT_LABEL.working_dir\"}}" |
    grep -vxF -e "$FOLDER" -e "$(cd "$FOLDER" && pwd -P)" | head -n 1)
  [ -z "$elsewhere" ] || fail other-folder "$PROJECT runs from $elsewhere"
  baseline=$(each_container)
  [ -n "$previous" ] || previous=$(images_that_run)
  tell previous "$previous"
  [ -z "$(images_that_run)" ] || tell before "$(images_that_run)"
}

# One line for each container of the project, but for tasks, in the words of LOOK.
each_container() {
  ids=$(docker ps -aq --no-trunc --filter "label=$PROJECT_LABEL=$PROJECT" --filter "label=com.docker.compose.oneoff=False" 2>/dev/null)
  # shellcheck disable=SC2086 # one word each
  [ -z "$ids" ] || docker container inspect --format "$LOOK" $ids 2>/dev/null
}

# $1 a word, $2 words with a blank between them.
is_among() {
  case " $2 " in *" $1 "*) return 0 ;; esac
  return 1
}

# The images of our services, as they were asked for, each once.
images_that_run() {
  each_container | while read -r service _ _ image status _; do
    [ "$status" != running ] || ! is_among "$service" "$PINNED" || echo "$image"
  done | awk '!seen[$0]++' | tr '\n' ' ' | sed 's/ $//'
}

pull_all() {
  log_in "$IMAGE"
  all_images=$IMAGE
  for IMAGE in $all_images; do
    check_space "${previous%% *}"
    pull "$IMAGE"
  done
  IMAGE=$all_images
  for each in $OTHERS; do docker image inspect "$each" >/dev/null 2>&1 || pull "$each"; done
  log_out
}

phase_before() {
  install_files
  run_tasks before "$BEFORE"
}

phase_after() { run_tasks after "$AFTER"; }

# $1 the input, $2 a line for each: the service, what it needs or `-`, the command quoted for `eval`.
run_tasks() {
  ran=
  while read -r runs_in needed line; do
    ran=yes
    say "running in $runs_in: $line"
    [ -n "$committed" ] || start_needed "$needed"
    task=$PROJECT-gen-workflow-task
    docker rm -f "$task" >/dev/null 2>&1
    run_task "$runs_in" "$line" || fail "command-$1" "$line"
    task=
  done <<TASKS
$2
TASKS
  # A shell may need room for what it is to read, and goes on without it.
  [ -n "$ran" ] || fail disk "${TMPDIR:-/tmp}"
}

run_task() {
  eval "set -- $1 $2"
  # Beside us, so that a signal is heeded at once, and what is told then does not go where its words go.
  become_compose "$FOLDER" "$FILES -f ./$OVERRIDE_FILE" run --rm --no-deps -T --name "$task" "$@" </dev/null >&2 9>&- &
  up=$!
  wait "$up"
  code=$?
  up=
  return "$code"
}

# A migration needs its database, which does not run yet at the first deploy. What runs stays as it is.
start_needed() {
  missing=
  for each in $(printf '%s' "$1" | tr ',' ' '); do
    [ "$each" = - ] || each_container | grep -q "^$each [^ ]* [^ ]* [^ ]* running " || missing="$missing $each"
  done
  [ -n "$missing" ] || return 0
  say "starting what it needs:$missing"
  true >"$UNDO/switched"
  # shellcheck disable=SC2086 # one word each
  bring_up --no-recreate $missing
  await_project "$HEALTH_TIMEOUT" "$missing" || give_up unhealthy "$reason"
}

# Starts services, or all without further words, and waits for compose, which waits for what they
# depend on: it may do so for ever, so it has a limit.
bring_up() {
  # Two write to it: what is not appended would go over the words of the other.
  true >"$STATE/up-said"
  become_compose "$FOLDER" "$FILES -f ./$OVERRIDE_FILE" up -d --no-build --pull never "$@" >>"$STATE/up-said" 2>&1 &
  up=$!
  limit $((HEALTH_TIMEOUT + 60)) TERM
  wait "$up"
  code=$?
  up=
  unlimit
  sed "s/^ *//" "$STATE/up-said" >&2
  [ "$code" = 0 ] || explain_up
}

# Sends compose a signal after $1 seconds. Older clients of Docker do not hand it on to their plugin.
limit() {
  (
    trap - INT HUP PIPE EXIT
    trap 'exit 0' TERM
    limit_at=$(($(now) + $1))
    while [ "$(now)" -lt "$limit_at" ]; do sleep 1; done
    echo "it took longer than $1 s" >>"$STATE/up-said"
    pkill "-$2" -P "$up"
    kill "-$2" "$up"
  ) >/dev/null 2>&1 9>&- &
  limiter=$!
}

unlimit() { kill "$limiter" 2>/dev/null; }

stop_up() {
  [ -n "$up" ] || return 0
  pkill -TERM -P "$up" 2>/dev/null
  kill "$up" 2>/dev/null
  limit 10 KILL
  wait "$up" 2>/dev/null
  up=
  unlimit
}

# A container that failed says more than compose, which only says that it did.
explain_up() {
  judge "$SERVICES"
  [ "$verdict" != bad ] || give_up unhealthy "$reason"
  words=$(grep '^it took longer than ' "$STATE/up-said" || grep -v 'level=warning' "$STATE/up-said" | tail -n 1)
  [ "$verdict" != 'wait' ] || words="$words; $reason"
  case $words in 'it took longer than '*) give_up too-slow "$words" ;; esac
  [ -z "$failed_container" ] || show_logs "$failed_container"
  explain start-project "$words"
}

give_up() {
  [ -z "$failed_container" ] || show_logs "$failed_container"
  fail "$1" "$2"
}
failed_container=

# Looks at some services: `verdict` is ok, wait or bad, and `reason` says why. A container that runs
# on as before is not ours to judge.
judge() {
  verdict=ok
  reason='the engine does not answer'
  seen=
  failed_container=
  while read -r service id _ _ status restarts code health started; do
    { [ -n "$id" ] && is_among "$service" "$1"; } || continue
    seen="$seen $service"
    case $baseline in
      *"$id"*" running "*"$started"*) [ "$status" != running ] || continue ;;
    esac
    judge_one
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

judge_one() {
  case $status in
    running)
      [ -z "$ending" ] || { is_slow 'it has not come to its end' && return; }
      [ "$restarts" = 0 ] || { is_bad 'it crashed and was started again' && return; }
      case $health in
        unhealthy) is_bad 'its HEALTHCHECK says unhealthy' ;;
        starting) is_slow 'its HEALTHCHECK has not passed' ;;
        healthy) ;;
        *)
          [ -n "$HEALTH_PATH" ] && [ "$service" = "$HEALTH_SERVICE" ] && return
          [ "$(now)" -ge "${settled:-0}" ] || is_slow 'it has not run for long enough'
          ;;
      esac
      ;;
    restarting) is_bad "it ended with exit code $code and is started again and again" ;;
    created) is_slow 'it has not started' ;;
    *) { [ "$code" = 0 ] && ! ran_before; } || is_bad "it ended with exit code $code" ;;
  esac
}

# What ran is no task that comes to its end.
ran_before() { printf '%s\n' "$baseline" | grep -q "^$service [^ ]* [^ ]* [^ ]* running "; }

is_bad() { verdict=bad reason="$service: $1"; }
is_slow() { verdict='wait' reason="$service: $1"; }

# Waits until services are well, and then the path. $1 seconds, $2 the services.
await_project() {
  deadline=$(($(now) + $1))
  settled=$(($(now) + ($1 < 5 ? $1 : 5)))
  while :; do
    judge "$2"
    [ "$verdict" != bad ] || return 1
    if [ "$verdict" = ok ]; then
      [ -n "$HEALTH_PATH" ] && is_among "$HEALTH_SERVICE" "$2" || return 0
      probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" && return 0
      reason="$HEALTH_SERVICE: GET $HEALTH_PATH on port $HEALTH_HOST_PORT gave $answer"
      failed_container=$(each_container | sed -n "s/^$HEALTH_SERVICE \\([^ ]*\\) .*/\\1/p" | head -n 1)
    fi
    [ "$(now)" -lt "$deadline" ] || return 1
    nap 0.2
  done
}

# Containers of services that are no more go first, since they may hold a port. Those that were made
# with other files than ours are somebody else's. $1 the services that are, $2 files that are ours.
drop_orphans() {
  docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" --filter "label=com.docker.compose.oneoff=False" \
    --format "{{.ID}} {{.Label \"$SERVICE_LABEL\"}} {{.Label \"$PROJECT_LABEL.config_files\"}}" 2>/dev/null |
    while read -r id service files; do
      is_among "$service" "$1" && continue
      if printf '%s' "$files" | tr ',' '\n' | grep -qvxF -f "$2"; then
        say "the service $service is not in these files and runs on"
      else
        say "the service $service is no more: its container goes"
        docker stop "$id" >/dev/null 2>&1
        docker rm "$id" >/dev/null 2>&1
      fi
    done
}

phase_switch() {
  install_files
  true >"$UNDO/switched"
  [ -z "$(images_that_run)" ] || watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
  say "bringing $PROJECT up"
  [ -z "$TASKS" ] || [ -z "$(running_in "$baseline")" ] || run_to_their_end
  drop_orphans "$(cat "$release/services")" "$UNDO/our-files"
  bring_up
  await_project "$HEALTH_TIMEOUT" "$SERVICES" || give_up unhealthy "$reason"
  end_gap
  [ -z "$gap" ] || tell gap "$gap"
  tell serving "$IMAGE"
}

# Left to itself, compose would stop what serves and only then run what it waits for, such as a
# migration. So these run first, and what serves is not touched if they fail. They run once more with
# the rest, as they do each time that compose brings a project up.
run_to_their_end() {
  # shellcheck disable=SC2086 # one word each
  bring_up $TASKS
  ending=yes
  await_project $((HEALTH_TIMEOUT + 60)) "$TASKS" || give_up unhealthy "$reason"
  ending=
}

# Services of which a container runs. $1 lines as of `each_container`.
running_in() { printf '%s\n' "$1" | sed -n 's/^\([^ ]*\) [^ ]* [^ ]* [^ ]* running .*/\1/p' | sort -u; }

# One rename decides it; whatever ends us after it, the next deploy knows.
phase_commit() {
  trap '' TERM INT HUP PIPE
  { mv "$release/tried" "$release/deployed" && mv -f "$STATE/current.new" "$STATE/current"; } || fail disk "$STATE"
  committed=yes
  tell committed yes
  [ -z "$SOURCE" ] || printf '%s' "$SOURCE" >"$STATE/source" 2>/dev/null
  forget_way_back
  remember deployed "$gap"
  forget_old_releases
  prune
  trap interrupted TERM INT HUP PIPE
}

# Whatever ends the session, what is not committed is undone.
tidy() {
  log_out
  stop_up
  [ -z "$task" ] || docker rm -f "$task" >/dev/null 2>&1
  rm -rf "$STATE/view" "$STATE/said" "$STATE/up-said" "$STATE/undo.new" "$STATE/current.new"
  [ -z "$committed" ] || return 0
  result=refused
  [ -z "$installed" ] || undo
  end_gap
  [ ! -d "${release:-none}" ] || remember "$result" "$gap"
  [ -z "$release" ] || rm -rf "$release" "$release.new"
  [ -z "${aside:-}" ] || [ -d "$UNDO" ] || rm -rf "$aside"
  # Only when it is empty.
  [ -z "$made_folder" ] || rmdir "$made_folder" 2>/dev/null
}
