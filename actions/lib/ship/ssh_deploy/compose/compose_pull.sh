# What follows once compose has read the project, and before anything is touched: which project runs
# here, the images, the release. The client sends this with its answer.

phase_pull() {
  local each
  look_at_project
  # Where it has no container, nothing serves, whatever the last release was.
  [ -z "$baseline" ] || check_commit
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
  local here elsewhere images each
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
  [ -z "$PORTS" ] || note_difference port "$(published_ports)" "$PORTS"
  stop_if_different
  images=$(images_that_run)
  (started_by_hand) >"$STATE/said"
  while read -r each; do
    tell "$each, which is not from the last deploy: somebody started it by hand. It is pinned again"
  done <"$STATE/said"
  [ -n "$previous" ] && [ ! -s "$STATE/said" ] || previous=$images
  report previous "$previous"
  [ -z "$images" ] || report before "$images"
}

# Prints each service that our last release has pinned and that runs another image, as after
# `docker compose up -d`, which knows nothing of our images.
started_by_hand() {
  local pinned service image status
  pinned=$(cat "$RELEASES/${kept_release:-none}/pinned" 2>/dev/null)
  printf '%s\n' "$baseline" | while read -r service _ _ image status _; do
    { [ "$status" = running ] && is_among "$service" "$pinned"; } || continue
    is_among "$image" "$previous" || echo "the service $service runs $image"
  done
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

# Adds what we know only now that compose has answered: the images, the services, the name.
finish_release() {
  local files="$FILES -f ./$OVERRIDE_FILE" all images
  if [ -n "$OVERRIDE" ]; then
    { write_override "$release/files" && write_override "$view$FOLDER"; } || fail disk "$release"
    list_files "$release"
  fi
  compose "$view$FOLDER" "$files" config -q 2>"$STATE/said" ||
    refuse_project "$(said_by_compose)"
  services=$(compose "$view$FOLDER" "$files" config --services 2>/dev/null | tr '\n' ' ')
  check_profiles
  # Those of services whose profile is active, too.
  images=$(compose "$view$FOLDER" "$files" config --images 2>/dev/null | grep '^[A-Za-z0-9]')
  other_images="$OTHERS $(printf '%s' "$images" | tr '\n' ' ')"
  all=$(compose "$view$FOLDER" "$files" --profile '*' config --services 2>/dev/null | tr '\n' ' ')
  {
    printf '%s' "$IMAGE" >"$release/images" && printf '%s' "$PROJECT" >"$release/project" &&
      printf '%s' "$PINNED" >"$release/pinned" &&
      printf '%s' "$FOLDER" >"$release/folder" && printf '%s' "$all" >"$release/services" &&
      true >"$release/tried"
  } 2>/dev/null || fail disk "$release"
}

# Only compose knows which profiles are active. A task may have a profile that is not active, but
# nothing that runs and nothing that `health` asks: compose would not change it, and all would look
# well.
check_profiles() {
  local runs each first=
  runs=$(running_in "$baseline" | tr '\n' ' ')
  for each in $PINNED; do
    if is_among "$each" "$services"; then
      first=${first:-$each}
    elif is_among "$each" "$runs"; then
      fail inactive "$each"
    fi
  done
  [ -n "$first" ] || { [ -z "$HEALTH_PATH" ] && is_task_alone; } ||
    fail inactive "${HEALTH_SERVICE:-${PINNED%% *}}"
  HEALTH_SERVICE=${HEALTH_SERVICE:-$first}
  [ -z "$HEALTH_PATH" ] || is_among "$HEALTH_SERVICE" "$services" ||
    fail inactive "$HEALTH_SERVICE, which gets the request of \`health\`,"
}

# Whether a command of the user runs in a service that gets an image.
is_task_alone() {
  local each
  for each in $(printf '%s\n' "$BEFORE" "$AFTER" | sed 's/ .*//'); do
    ! is_among "$each" "$PINNED" || return 0
  done
  return 1
}
