# Releases of a compose project: what was uploaded, and the folder as it will be, for compose to read.

look_at_current() {
  kept_release=$(cat "$STATE/current" 2>/dev/null)
  [ -d "$RELEASES/${kept_release:-none}" ] || kept_release=
  [ -n "$kept_release" ] || return 0
  previous=$(cat "$RELEASES/$kept_release/images" 2>/dev/null)
  tell previous "$previous"
  [ -z "$(docker ps -q --filter "label=$PROJECT_LABEL=$(cat "$RELEASES/$kept_release/project")")" ] || tell before "$previous"
}

# Under another name until it is whole.
begin_release() {
  release=$RELEASES/$RELEASE
  rm -rf "$RELEASES"/*.new
  mkdir "$release.new" 2>/dev/null || fail disk "$release"
}

unpack() {
  begin_release
  mkdir "$release.new/files"
  said=$(printf %s "$ARCHIVE" | base64 -d 2>&1 >"$release.new/archive" &&
    cd "$release.new/files" && tar -xzpf ../archive 2>&1) || fail disk "${said:-$release}"
  rm -f "$release.new/archive"
  secret_files "$release.new/files" 2>/dev/null || fail disk "$release"
  printf '%s' "$FILES" >"$release.new/compose" 2>/dev/null || fail disk "$release"
  end_release
}

end_release() {
  list_files "$release.new"
  mv "$release.new" "$release" || fail disk "$release"
}

list_files() { (cd "$1/files" && find . -type f | sed 's|^\./||') >"$1/list"; }

# What makes two releases the same, whenever they were uploaded.
sum_of() { (
  cd "$1" && {
    find files -type f -exec cksum {} +
    find files -type f -perm -100
  } | sort | cksum
) 2>/dev/null; }

# A release to go back to becomes a new one, so that the history only goes forward.
take_release() {
  found=
  case $ROLLBACK in
    previous) newest_other ;;
    sha256:*) newest_with "$ROLLBACK" ;;
    *) newest_with_tag ;;
  esac
  [ -n "$found" ] || fail no-release "$ROLLBACK"
  [ "$(sum_of "$found")" != "$(sum_of "$RELEASES/${kept_release:-none}")" ] || fail same-release "$(cat "$found/images")"
  say "going back to the release ${found##*/} ($(cat "$found/images"))"
  FILES=$(cat "$found/compose")
  begin_release
  for each in files compose; do cp -pR "$found/$each" "$release.new/$each" || fail disk "$release"; done
  end_release
  base64 <"$release/files/$OVERRIDE_FILE" | sed "s/^/$MARK override /"
}

newest_other() {
  current_sum=$(sum_of "$RELEASES/${kept_release:-none}")
  for each in "$RELEASES"/*/deployed; do
    each=${each%/deployed}
    [ -d "$each" ] && [ "$(sum_of "$each")" != "$current_sum" ] && found=$each
  done
}

newest_with() {
  for each in "$RELEASES"/*/deployed; do
    ! grep -qsF "@$1" "${each%/deployed}/images" || found=${each%/deployed}
  done
}

# A tag is looked up where it is true: in the registry.
newest_with_tag() {
  log_in "${REPOSITORY:-$previous}"
  for each in ${REPOSITORY:-$previous}; do
    each=$(repository_of "$each"):$ROLLBACK
    # In a shell of its own: what is told when a signal comes must not go there.
    (docker_pull "$each" >/dev/null 2>&1) || continue
    digests=$(docker image inspect --format '{{join .RepoDigests " "}}' "$each")
    for digest in $digests; do newest_with "${digest#*@}"; done
  done
  log_out
}

# The folder as it will be, for compose to read while the live one stays as it is: links to all that
# is there, also in the folders above, and the files of the release instead of those they replace.
make_view() {
  view=$STATE/view
  rm -rf "$view"
  unfold "$FOLDER"
  # All of the folders before any of the files: what goes below a link would go from the live folder.
  touched_files | sed -n 's|/[^/]*$||p' | sort -u | while read -r each; do unfold "$FOLDER/$each"; done
  touched_files | (cd "$view$FOLDER" && tr '\n' '\0' | xargs -0 rm -f --)
  cp -pR "$release/files/." "$view$FOLDER/" 2>/dev/null || fail disk "$view"
}

touched_files() {
  gone_files
  cat "$release/list"
}

# What our last release has brought, and this one has not; but for `.env`, which stays what it is for
# whoever does not say it.
gone_files() {
  [ -z "$kept_release" ] || grep -vxF -e .env -f "$release/list" "$RELEASES/$kept_release/list"
}

# Makes a folder of the view a real one, whose entries lead to those of the true one.
unfold() (
  [ -n "$1" ] || set -- ''
  [ ! -d "$view$1" ] || [ -L "$view$1" ] || exit 0
  [ -z "$1" ] || unfold "${1%/*}"
  rm -f "$view$1"
  mkdir "$view$1" || exit
  folder=$1
  set --
  for each in "$folder"/* "$folder"/.[!.]*; do
    [ ! -e "$each" ] || [ "$each" = "$aside" ] || set -- "$@" "$each"
  done
  [ $# = 0 ] || ln -s "$@" "$view$folder/"
)

# The words of compose, with the paths that the person knows.
said_by_compose() {
  grep -v 'level=warning' "$STATE/said" | sed "s|$view/|/|g" | tail -n 5
}

# With the images over it only where it is not whole without them, such as `image: ${IMAGE}`.
ask_compose() {
  with=$FILES
  [ -z "$ROLLBACK" ] || with="$FILES -f ./$OVERRIDE_FILE"
  if ! told=$(compose "$view$FOLDER" "$with" --profile '*' config --format json 2>"$STATE/said"); then
    words=$(said_by_compose)
    {
      [ -n "$OVERRIDE" ] && write_override "$view$FOLDER" &&
        told=$(compose "$view$FOLDER" "$FILES -f ./$OVERRIDE_FILE" --profile '*' config --format json 2>"$STATE/said")
    } || fail compose "$(names_of_files): $words"
  fi
  grep 'level=warning' "$STATE/said" | grep -v obsolete | sed "s|$view/|/|g" >&2
  printf '%s' "$told" | sed "s|$view/|/|g" | base64 | sed "s/^/$MARK config /"
}

names_of_files() { printf '%s' "$FILES" | sed "s|-f \\(['\"]*\\)\\./|\\1|g"; }

# In the view it may be a link to the live one.
write_override() { rm -f "$1/$OVERRIDE_FILE" && printf '%s\n' "$OVERRIDE" >"$1/$OVERRIDE_FILE"; } 2>/dev/null

# What is known only now that compose has spoken: the images, the services, the name.
finish_release() {
  if [ -n "$OVERRIDE" ]; then
    { write_override "$release/files" && write_override "$view$FOLDER"; } || fail disk "$release"
    list_files "$release"
  fi
  with="$FILES -f ./$OVERRIDE_FILE"
  compose "$view$FOLDER" "$with" config -q 2>"$STATE/said" || fail compose "$(names_of_files): $(said_by_compose)"
  SERVICES=$(compose "$view$FOLDER" "$with" config --services 2>/dev/null | tr '\n' ' ')
  check_profiles
  # Those of services whose profile is active, too.
  OTHERS="$OTHERS $(compose "$view$FOLDER" "$with" config --images 2>/dev/null | grep '^[A-Za-z0-9]' | tr '\n' ' ')"
  all=$(compose "$view$FOLDER" "$with" --profile '*' config --services 2>/dev/null | tr '\n' ' ')
  { printf '%s' "$IMAGE" >"$release/images" && printf '%s' "$PROJECT" >"$release/project" && printf '%s' "$FOLDER" >"$release/folder" &&
    printf '%s' "$all" >"$release/services" && true >"$release/tried"; } 2>/dev/null || fail disk "$release"
}

# Which profiles are active is known to compose alone. Behind another one a task may wait, but nothing
# that runs or that `health` asks: compose would leave it as it is, and all would look well.
check_profiles() {
  runs=$(running_in "$baseline" | tr '\n' ' ')
  starts=
  for each in $PINNED; do
    if is_among "$each" "$SERVICES"; then starts=${starts:-$each}; elif is_among "$each" "$runs"; then fail inactive "$each"; fi
  done
  [ -n "$starts" ] || { [ -z "$HEALTH_PATH" ] && is_task_alone; } || fail inactive "${HEALTH_SERVICE:-${PINNED%% *}}"
  HEALTH_SERVICE=${HEALTH_SERVICE:-$starts}
  [ -z "$HEALTH_PATH" ] || is_among "$HEALTH_SERVICE" "$SERVICES" || fail inactive "$HEALTH_SERVICE, which \`health\` without a port asks,"
}

# Whether a command of the person runs in a service that gets an image.
is_task_alone() {
  for each in $(printf '%s\n' "$BEFORE" "$AFTER" | sed 's/ .*//'); do
    ! is_among "$each" "$PINNED" || return 0
  done
  return 1
}

forget_old_releases() {
  left=$KEEP
  for each in $(cd "$RELEASES" && printf '%s\n' * | sort -r); do
    if [ -e "$RELEASES/$each/deployed" ] && [ "$left" -gt 0 ]; then
      left=$((left - 1))
    else
      rm -rf "${RELEASES:?}/$each"
    fi
  done
}
