# Releases of a compose project: what was uploaded, and the folder as it will be, for compose to
# read.
#
# RELEASE (parameter): the name of this release, which comes after all others in their order.

# What compose reads of the project, and the words with which it refused it.
project_config=
compose_words=
# The folder of the release to go back to.
found_release=

look_at_current() {
  kept_release=$(cat "$STATE/current" 2>/dev/null)
  [ -d "$RELEASES/${kept_release:-none}" ] || kept_release=
  [ -n "$kept_release" ] || return 0
  previous=$(cat "$RELEASES/$kept_release/images" 2>/dev/null)
  report previous "$previous"
  [ -z "$(docker ps -q \
    --filter "label=$PROJECT_LABEL=$(cat "$RELEASES/$kept_release/project")")" ] ||
    report before "$previous"
}

# The name begins with the time, or with the next number where the clock of the host was ahead when
# another release was made. A release has another name until it is complete.
begin_release() {
  local last
  rm -rf "$RELEASES"/*.new
  last=$(cd "$RELEASES" && printf '%s\n' [0-9]*-* | tail -n 1)
  case $last in
    [0-9]*) [ "${last%%-*}" -lt "${RELEASE%%-*}" ] || RELEASE=$((${last%%-*} + 1))-$$ ;;
  esac
  release=$RELEASES/$RELEASE
  mkdir "$release.new" 2>/dev/null || fail disk "$release"
}

unpack() {
  local output
  begin_release
  output=$(mkdir "$release.new/files" 2>&1 &&
    printf %s "$ARCHIVE" | base64 -d 2>&1 >"$release.new/archive" &&
    cd "$release.new/files" && tar -xzpf ../archive 2>&1) || fail disk "${output:-$release}"
  rm -f "$release.new/archive"
  secret_files "$release.new/files" 2>/dev/null || fail disk "$release"
  printf '%s' "$FILES" 2>/dev/null >"$release.new/compose" || fail disk "$release"
  end_release
}

end_release() {
  list_files "$release.new"
  mv "$release.new" "$release" || fail disk "$release"
}

# A list that is cut off would leave files out of the deploy and of its undo.
list_files() {
  (cd "$1/files" && find . -type f | sed 's|^\./||') >"$1/list" || fail disk "$1"
}

# Prints the same for two releases with the same files, whenever they were uploaded.
sum_of() { (
  cd "$1" && {
    find files -type f -exec cksum {} +
    find files -type f -perm -100
  } | sort | cksum
) 2>/dev/null; }

# A release to go back to becomes a new one, so that the history only goes forward.
take_release() {
  local each
  case $ROLLBACK in
    previous) find_other ;;
    sha256:*) find_digest "$ROLLBACK" ;;
    *) find_tag ;;
  esac
  [ -n "$found_release" ] || fail no-release "$ROLLBACK"
  [ "$(sum_of "$found_release")" != "$(sum_of "$RELEASES/${kept_release:-none}")" ] ||
    fail same-release "$(cat "$found_release/images")"
  log "rolling back to the release ${found_release##*/} ($(cat "$found_release/images"))"
  FILES=$(cat "$found_release/compose")
  begin_release
  for each in files compose; do
    cp -pR "$found_release/$each" "$release.new/$each" || fail disk "$release"
  done
  # What it merged with was the host's, and is what the host has now.
  [ ! -e "$found_release/env" ] || cp -p "$found_release/env" "$release.new/files/.env" ||
    fail disk "$release"
  end_release
  base64 <"$release/files/$OVERRIDE_FILE" | sed "s/^/$MARK override /"
}

# The newest release with other files than the one that serves.
find_other() {
  local each sum
  sum=$(sum_of "$RELEASES/${kept_release:-none}")
  for each in "$RELEASES"/*/deployed; do
    each=${each%/deployed}
    [ -d "$each" ] && [ "$(sum_of "$each")" != "$sum" ] && found_release=$each
  done
}

find_digest() {
  local each
  for each in "$RELEASES"/*/deployed; do
    ! grep -qsF "@$1" "${each%/deployed}/images" || found_release=${each%/deployed}
  done
}

# Only the registry knows what a tag means.
find_tag() {
  local each image digest
  log_in "${REPOSITORY:-$previous}"
  for each in ${REPOSITORY:-$previous}; do
    image=$(repository_of "$each"):$ROLLBACK
    # In a shell of its own: when a signal comes, our facts must not go where its output goes.
    (docker_pull "$image" >/dev/null 2>&1) || continue
    for digest in $(docker image inspect --format '{{join .RepoDigests " "}}' "$image"); do
      find_digest "${digest#*@}"
    done
  done
  log_out
}

# Makes the view: the folder as it will be, which compose reads while the live one stays as it is.
# It has links to all that the live folder has, and the files of the release instead of those they
# replace. Compose looks up a path such as `../shared` by its text, within the view. So the folders
# above are there too, with links to what the texts of the project name (`named`), or to everything
# (`all`). $1 which of both.
make_view() {
  rm -rf "$view"
  [ "$1" = all ] || ! has_optional_files || set -- all
  [ "$1" != named ] || names_above >"$STATE/names" || fail no-state "$STATE/names"
  view_folders "$1" 2>/dev/null || fail no-state "$view"
  rm -f "$STATE/names"
  remove_links || fail no-state "$view"
  cp -pR "$release/files/." "$view$FOLDER/" 2>/dev/null || fail disk "$view"
}

# A copy onto a link would write to the live file.
remove_links() {
  local file
  touched_files | (
    cd "$view$FOLDER" && while IFS= read -r file; do
      [ ! -L "$file" ] || printf '%s\n' "$file"
    done | tr '\n' '\0' | xargs -0 rm -f --
  )
}

# All folders before any file: a file that goes below a link would be removed from the live folder.
view_folders() {
  local folder
  { make_above "${FOLDER%/*}" "$1" && make_real "$FOLDER" && link_all "$FOLDER"; } || return
  touched_files | sed -n 's|/[^/]*$||p' | sort -u | while IFS= read -r folder; do
    make_below "$FOLDER/$folder" || return 1
  done
}

# Makes a folder above the project, and those above it. $1 the folder, empty for the root; $2 which
# of its entries get links.
make_above() {
  [ ! -d "$view$1" ] || [ -L "$view$1" ] || return 0
  [ -z "$1" ] || make_above "${1%/*}" "$2" || return
  make_real "$1" || return
  if [ "$2" = all ]; then link_all "$1"; else link_named "$1"; fi
}

# Makes a folder within the project that has files of the release, and those above it.
make_below() {
  [ ! -d "$view$1" ] || [ -L "$view$1" ] || return 0
  make_below "${1%/*}" && make_real "$1" && link_all "$1"
}

# A real folder of the view, where a link may be now.
make_real() { rm -f "$view$1" && mkdir "$view$1"; }

# Links to all that a folder has, without our own. `find` keeps each command short enough. It does
# not tell in every version whether a command failed, so a failure is text.
link_all() {
  [ -r "$1/" ] || return 0
  # shellcheck disable=SC2016 # expanded by the shell that `find` starts
  [ -z "$(find "$1/" -mindepth 1 -maxdepth 1 ! -name "${aside##*/}" \
    -exec sh -c 'ln -s "$@" "$0" || echo failed' "$view$1/" {} +)" ]
}

link_named() {
  local name
  while read -r name; do
    [ ! -e "$1/$name" ] || ln -s "$1/$name" "$view$1/" || return
  done <"$STATE/names"
}

# Prints the names in the paths above.
names_above() { paths_above | tr / '\n' | sed '/^\.\{0,2\}$/d' | sort -u; }

# Prints the paths with `../` in what compose may read: in the files of the release, in the `.env`
# of the host and in the environment.
paths_above() {
  {
    find "$release/files" -type f -exec grep -h '\.\./' {} +
    grep -h '\.\./' "$FOLDER/.env"
    env
  } 2>/dev/null | tr ' \t"'"'"',=:;[]{}()' '\n' | grep -F ../
}

# Whether the project may have an `env_file` with `required: false`: compose does not report that
# it misses such a file. A compose file of the host that the project names may have one too.
has_optional_files() {
  local path
  {
    find "$release/files" -type f -exec grep -h required {} +
    paths_above | while read -r path; do
      case $path in *.yml | *.yaml) grep -h required "$FOLDER/$path" ;; esac
    done
  } 2>/dev/null | grep -q required
}

touched_files() {
  gone_files
  cat "$release/list"
}

# Prints the files that go: those of our last release that this one does not have, and those of the
# host that are replaced by none.
gone_files() {
  lost_files && cat "$release/dropped"
}

# Prints the files of our last release that neither this one has nor the host keeps. Without `.env`,
# which stays as it is when the user gives none.
lost_files() {
  [ -z "$kept_release" ] || grep -vxF -e .env -f "$release/list" -f "$release/kept" \
    "$RELEASES/$kept_release/list" || [ $? = 1 ]
}

# The words of compose, with the paths that the user knows.
said_by_compose() {
  grep -v 'level=warning' "$STATE/said" | sed "s|$view/|/|g" | tail -n 5
}

# Reports the project as compose reads it. When it refuses the project, it may have missed a file
# above the folder that no text names, such as `../$NAME`: then it gets everything there.
read_project() {
  make_view named
  ask_compose || { make_view all && ask_compose; } ||
    refuse_project "$compose_words"
  grep 'level=warning' "$STATE/said" | grep -v obsolete | sed "s|$view/|/|g" >&2
  printf '%s' "$project_config" | sed "s|$view/|/|g" | base64 | sed "s/^/$MARK config /"
}

# Asks with our images over the files only where the files are not complete without them, such as
# `image: ${IMAGE}`.
ask_compose() {
  local files="$FILES"
  [ -z "$ROLLBACK" ] || files="$FILES -f ./$OVERRIDE_FILE"
  ask_for_config "$files" && return
  compose_words=$(said_by_compose)
  [ -n "$OVERRIDE" ] && write_override "$view$FOLDER" &&
    ask_for_config "$FILES -f ./$OVERRIDE_FILE"
}

ask_for_config() {
  project_config=$(compose "$view$FOLDER" "$1" --profile '*' config --format json 2>"$STATE/said")
}

names_of_files() { printf '%s' "$FILES" | sed "s|-f \\(['\"]*\\)\\./|\\1|g"; }

# In the view this file may be a link to the live one.
write_override() {
  { rm -f "$1/$OVERRIDE_FILE" && printf '%s\n' "$OVERRIDE" >"$1/$OVERRIDE_FILE"; } 2>/dev/null
}
