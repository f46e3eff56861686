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
# The first that can give an image to a service of an included file.
OLDEST_WITH_INCLUDE=2.24.6
# The version of compose on the host.
compose_version=
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
# The folder for the replaced files, until the deploy is complete.
aside=
# The folder where copies of the host's own files stay, which a deploy has replaced.
copies=
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

check_compose() {
  local minor
  compose_version=$(docker compose version --short 2>/dev/null)
  compose_version=${compose_version#v}
  case $compose_version in
    [0-9]*.[0-9]*) ;;
    *)
      docker_output=$(docker version 2>&1 | sed -n '/^WARNING: Error loading config file/p')
      [ -z "$docker_output" ] || fail docker-config "$docker_output"
      fail no-compose "$(docker-compose version --short 2>/dev/null |
        sed 's/^/only docker-compose /')"
      ;;
  esac
  minor=${compose_version#*.}
  minor=${minor%%[!0-9]*}
  [ $((${compose_version%%.*} * 1000 + minor)) -ge 2024 ] ||
    fail old-compose "$compose_version; the deploy needs $OLDEST_COMPOSE or newer"
}

# $1 the words with which compose refuses the project.
refuse_project() {
  case "$compose_version $1" in
    2.24.[0-5]*'conflicts with imported resource'*)
      fail old-compose "$compose_version; for services of an included file the deploy needs \
$OLDEST_WITH_INCLUDE or newer"
      ;;
  esac
  fail compose "$(names_of_files): $1"
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
  settle_host_files
  read_project
}

open_folder() {
  local home="${HOME:-}"
  home=${home%/}
  case $FOLDER in /*) ;; .) FOLDER=$home ;; *) FOLDER=$home/$FOLDER ;; esac
  [ -z "$hidden_state" ] || case $FOLDER in
    "$home"/.*) fail snap-folder "$FOLDER" ;;
    "$home"/* | /mnt/* | /media/*) ;;
    *) fail snap-folder "$FOLDER" ;;
  esac
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
  copies=$1/host-files.gen-workflow
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

# Prints one line in the form of CONTAINER_FORMAT for each container of the project without tasks.
each_container() {
  docker ps -aq --no-trunc --filter "label=$PROJECT_LABEL=$PROJECT" --filter "$NO_TASKS" \
    2>/dev/null | xargs -r "$DOCKER_PROGRAM" container inspect --format "$CONTAINER_FORMAT" \
    2>/dev/null 9>&-
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
      tell "the service $service was started with other compose files: it keeps running"
    else
      tell "the service $service is no longer in the compose files: the host removes its container"
      { docker stop "$id" && docker rm "$id"; } >/dev/null 2>&1 ||
        tell "the container $id of the service $service could not be removed"
    fi
  done
}

# Prints the services of which a container runs. $1 lines as of `each_container`.
running_in() {
  printf '%s\n' "$1" | sed -n 's/^\([^ ]*\) [^ ]* [^ ]* [^ ]* running .*/\1/p' | sort -u
}

# Prints the ports of the host that the containers of the project publish. Docker shows ports that
# follow one another as a range.
published_ports() {
  docker ps --filter "label=$PROJECT_LABEL=$PROJECT" --format '{{.Ports}}' | tr ',' '\n' |
    sed -n 's/.*:\([0-9-]*\)->.*/\1/p' |
    awk -F - '{ for (port = $1; port <= $NF; port++) print port }' | sort -nu | tr '\n' ' '
}

# Undoes what is not committed, whatever ends the session.
clean_up() {
  log_out
  stop_compose
  [ -z "$task_container" ] || docker rm -f "$task_container" >/dev/null 2>&1
  rm -rf "$view" "$STATE/said" "$STATE/up-said" "$UNDO.new" "$STATE/current.new"
  [ -z "$committed" ] || { remove_room && return 0; }
  [ -z "$installed" ] || undo
  remove_room
  end_gap
  [ ! -d "${release:-none}" ] || record "$result" "$gap"
  [ -z "$release" ] || rm -rf "$release" "$release.new"
  [ -z "$aside" ] || [ -d "$UNDO" ] || rm -rf "$aside"
  # Only when it is empty.
  [ -z "$made_folder" ] || rmdir "$made_folder" 2>/dev/null
}
