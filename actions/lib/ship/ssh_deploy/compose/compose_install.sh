# Installing the files of a release, and the notes for its undo. The client sends this once it has
# answered how compose reads the files.

# Writes the notes and replaces the files. All that needs space comes before the first change.
install_files() {
  local each
  [ -z "$installed" ] || return 0
  write_undo_notes
  mv "$UNDO.new" "$UNDO" || fail disk "$UNDO"
  installed=yes
  while IFS= read -r each; do
    mv -f "$aside/new/$each" "$FOLDER/$each" || fail in-the-way "$FOLDER/$each"
  done <"$UNDO/changed"
  while IFS= read -r each; do
    rm -f "$FOLDER/$each" || fail in-the-way "$FOLDER/$each"
  done <"$UNDO/gone"
}

# Notes that containers may change from now on. Without this note an undo brings only files back.
note_switch() { true 2>/dev/null >"$UNDO/switched" || fail disk "$UNDO"; }

# Notes that the old version answers the health path, so that an undo can ask it once more. Not each
# old version knows the path.
note_answer() {
  [ -n "$HEALTH_PATH" ] && probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || return 0
  printf '%s %s %s\n' "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" 2>/dev/null \
    >"$UNDO/answered" || fail disk "$UNDO"
}

# Adds a line to one of the notes. A line that is missing would be a file that is not installed, or
# not brought back. $1 the note, $2 the line.
note() { printf '%s\n' "$2" 2>/dev/null >>"$UNDO.new/$1" || fail disk "$UNDO"; }

write_undo_notes() {
  local each
  rm -rf "$UNDO.new" "$aside"
  {
    mkdir "$UNDO.new" && mkdir -m 700 "$aside" && mkdir "$aside/old" "$aside/new" &&
      for each in changed absent replaced made; do true >"$UNDO.new/$each"; done &&
      cp -pR "$release/files/." "$aside/new/" &&
      find "$aside/new" -type f -exec touch {} +
  } 2>/dev/null || fail disk "$aside"
  # In shells of their own: when a signal comes, our facts must not go to these files.
  (gone_files) >"$UNDO.new/gone" || fail disk "$UNDO"
  while IFS= read -r each; do note_file "$each"; done <"$release/list"
  while IFS= read -r each; do [ ! -e "$FOLDER/$each" ] || keep_file "$each"; done <"$UNDO.new/gone"
  while IFS= read -r each; do copy_file "$each"; done <"$release/copies"
  {
    printf '%s\n' "$RELEASE" >"$UNDO.new/release" && printf '%s' "$PROJECT" >"$UNDO.new/project" &&
      printf '%s' "$FOLDER" >"$UNDO.new/folder" &&
      printf '%s\n' "$baseline" >"$UNDO.new/baseline" &&
      printf '%s' "$PINNED" >"$UNDO.new/pinned" && (digests_that_run) >"$UNDO.new/digests" &&
      printf '%s' "$previous" >"$UNDO.new/images" && printf '%s\n' "$RELEASE" >"$STATE/current.new"
  } 2>/dev/null || fail disk "$UNDO"
  note_old_files
  (our_files) >"$UNDO.new/our-files" 2>/dev/null || fail disk "$UNDO"
}

note_file() {
  if [ ! -e "$FOLDER/$1" ] && [ ! -L "$FOLDER/$1" ]; then
    note absent "$1"
  elif [ -d "$FOLDER/$1" ]; then
    fail in-the-way "$FOLDER/$1"
  elif cmp -s "$FOLDER/$1" "$release/files/$1" &&
    [ "$(runnable "$FOLDER/$1")" = "$(runnable "$release/files/$1")" ]; then
    return 0
  else
    keep_file "$1"
  fi
  case $1 in */*) make_folder "${1%/*}" || fail in-the-way "$FOLDER/${1%/*}" ;; esac
  note changed "$1"
}

# The part of a mode that git keeps. `test -x` would also ask how the file system is mounted.
runnable() { find -H "$1" -prune -perm -100 -exec echo yes \;; }

# The undo removes a folder that we made, and no other.
make_folder() {
  [ ! -d "$FOLDER/$1" ] || return 0
  case $1 in */*) make_folder "${1%/*}" || return ;; esac
  (umask 022 && mkdir "$FOLDER/$1") 2>/dev/null && note made "$1"
}

# As a second name of the same file, which takes no space, where the file system has that.
keep_file() {
  case $1 in */*) mkdir -p "$aside/old/${1%/*}" ;; esac
  ln "$FOLDER/$1" "$aside/old/$1" 2>/dev/null || cp -pP "$FOLDER/$1" "$aside/old/$1" ||
    fail disk "$aside"
  note replaced "$1"
}

# Prints each image that runs, and its names by digest: another program may remove it once its
# container is replaced.
digests_that_run() {
  local id
  printf '%s\n' "$baseline" | while read -r _ _ id _; do
    [ -z "$id" ] || docker image inspect --format '{{.Id}} {{join .RepoDigests " "}}' "$id"
  done 2>/dev/null | sort -u
}

# As `keep_file`, but to stay. $1 the path.
copy_file() {
  local copy="$copies/$RELEASE/$1"
  { mkdir -p "${copy%/*}" && { ln "$FOLDER/$1" "$copy" || cp -pP "$FOLDER/$1" "$copy"; }; } \
    2>/dev/null || fail disk "$copies"
}

# Notes with which files the running containers were made: not ours, when they were made by hand.
# Then their images go over these files, because a tag may mean another image by now.
note_old_files() {
  local list='' each
  for each in $PINNED ''; do
    [ -n "$list" ] || list=$(docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" \
      --filter "label=$SERVICE_LABEL${each:+=$each}" --filter "$NO_TASKS" \
      --format "{{.Label \"$PROJECT_LABEL.config_files\"}}" | head -n 1)
  done
  [ -n "$list" ] ||
    list=$(cd "$FOLDER" && eval "printf '%s,' $FILES" | sed 's/-f,//g; s/,$//')
  printf '%s\n' "$list" | tr ',' '\n' >"$UNDO.new/config-files" || fail disk "$UNDO"
  if release_decides "$list"; then
    printf "%s -f './%s'" "$(cat "$RELEASES/$kept_release/compose")" "$OVERRIDE_FILE" \
      >"$UNDO.new/compose" || fail disk "$UNDO"
    return
  fi
  {
    sed "s/'/'\\\\''/g; s/^/-f '/; s/\$/'/" "$UNDO.new/config-files"
    env_files | sed "s/'/'\\\\''/g; s/^/--env-file '/; s/\$/'/"
  } | tr '\n' ' ' >"$UNDO.new/compose" || fail disk "$UNDO"
  case $list in *"/$OVERRIDE_FILE" | *"$STATE/taken-over.yml") ;; *) note_old_images ;; esac
}

# The images of our running services that have another image by now under the name that was asked
# for, as one more compose file.
note_old_images() {
  local taken_over="$STATE/taken-over.yml" comma='' service id image status
  printf '%s\n' "$baseline" | while read -r service _ id image status _; do
    { [ "$status" = running ] && is_among "$service" "$PINNED"; } || continue
    [ "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null)" != "$id" ] || continue
    printf '%s"%s":{"image":"%s"}' "$comma" "$service" "$id"
    comma=,
  done | sed 's/^/{"services":{/; s/$/}}/' >"$taken_over" || fail disk "$UNDO"
  if [ -s "$taken_over" ]; then
    printf " -f '%s'" "$taken_over" >>"$UNDO.new/compose" || fail disk "$UNDO"
  else
    rm -f "$taken_over"
  fi
}

# Whether the release that serves says how to bring the containers back. Compose does not change the
# label of a container that it does not replace, so the label may name files that our releases since
# then have renamed. But the label decides when it names a file that exists and is not ours.
# $1 the label.
release_decides() {
  [ -n "$kept_release" ] || return 1
  [ -z "$(files_no_more <"$UNDO.new/config-files")" ] || return 0
  case $1 in *"/$OVERRIDE_FILE") ;; *) return 1 ;; esac
  sed "s|^|$FOLDER/|" "$RELEASES/$kept_release/list" >"$STATE/said"
  ! grep -qvxF -f "$STATE/said" "$UNDO.new/config-files"
}

# Prints the files of the release that serves, of this one, and those of an earlier one of ours that
# are gone.
our_files() {
  cat "$UNDO.new/config-files" && files_of "$FILES" &&
    { [ -z "$kept_release" ] || files_of "$(cat "$RELEASES/$kept_release/compose")"; } &&
    docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" \
      --format "{{.Label \"$PROJECT_LABEL.config_files\"}}" |
    grep "/$OVERRIDE_FILE\$" | tr ',' '\n' | files_no_more
}
