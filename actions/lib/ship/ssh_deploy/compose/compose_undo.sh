# The undo of a compose project. Its notes are written before the first change, so that the next
# deploy can undo this one when it was killed.

# Whether this session undoes an earlier deploy, and not its own.
recovering=
# A file that could not be brought back.
unmoved=
# Whether the undo is complete, as far as the containers go.
undone=
# Why compose could not bring the containers back.
restore_error=

# A deploy was killed, alone or with its host. What it had decided stays decided.
recover() {
  local wanted="$FOLDER"
  if [ -d "$UNDO" ]; then
    if [ "$(cat "$UNDO/release")" = "$(cat "$STATE/current" 2>/dev/null)" ]; then
      remove_undo_notes
    else
      log 'an earlier deploy was killed: the host undoes its changes'
      rm -f "$RELEASES/$(cat "$UNDO/release")/deployed"
      undo_killed "$(cat "$UNDO/folder" 2>/dev/null)"
      use_folder "$wanted"
      PROJECT=$SAID_PROJECT
    fi
  fi
  rm -rf "$UNDO.new" "$UNDO.old" "$aside"
}

# $1 the folder of the deploy that was killed. `dir` may have changed since, or the folder has
# moved.
undo_killed() {
  if [ -d "$1" ]; then
    use_folder "$1"
  elif [ -n "$1" ] && [ ! -d "$aside" ]; then
    log "the folder of the earlier deploy does not exist any more, so there is nothing to undo: $1"
    remove_undo_notes
    return
  fi
  # From here on this session has to undo it, whatever ends us.
  recovering=yes installed=yes
  undo
  recovering=''
  installed=''
  [ -z "$unmoved" ] || fail in-the-way "$unmoved"
  [ -n "$undone" ] || give_old_version_up
}

# An old version that was broken before and does not start must not stop the deploy that may repair
# it.
give_old_version_up() {
  engine_answers || fail start-project "$restore_error"
  log "$restore_error"
  log "the previous version of $PROJECT does not start: it is down until the new one runs"
  remove_undo_notes
}

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

# Adds a line to one of the notes. A line that is missing would be a file that is not installed, or
# not brought back. $1 the note, $2 the line.
note() { printf '%s\n' "$2" 2>/dev/null >>"$UNDO.new/$1" || fail disk "$UNDO"; }

write_undo_notes() {
  local each
  rm -rf "$UNDO.new" "$aside"
  {
    mkdir "$UNDO.new" && mkdir -m 700 "$aside" && mkdir "$aside/old" "$aside/new" &&
      for each in changed absent replaced made; do true >"$UNDO.new/$each"; done &&
      cp -pR "$release/files/." "$aside/new/"
  } 2>/dev/null || fail disk "$aside"
  # In shells of their own: when a signal comes, our facts must not go to these files.
  (gone_files) >"$UNDO.new/gone" || fail disk "$UNDO"
  while IFS= read -r each; do note_file "$each"; done <"$release/list"
  while IFS= read -r each; do [ ! -e "$FOLDER/$each" ] || keep_file "$each"; done <"$UNDO.new/gone"
  {
    printf '%s\n' "$RELEASE" >"$UNDO.new/release" && printf '%s' "$PROJECT" >"$UNDO.new/project" &&
      printf '%s' "$FOLDER" >"$UNDO.new/folder" &&
      printf '%s\n' "$baseline" >"$UNDO.new/baseline" &&
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
  sed "s/'/'\\\\''/g; s/^/-f '/; s/\$/'/" "$UNDO.new/config-files" | tr '\n' ' ' \
    >"$UNDO.new/compose" || fail disk "$UNDO"
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

files_no_more() {
  local file
  while IFS= read -r file; do [ -e "$file" ] || printf '%s\n' "$file"; done
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

# $1 options for `eval`.
files_of() { eval "printf '%s\n' $1 -f ./$OVERRIDE_FILE" | sed -n "s|^\\./|$FOLDER/|p"; }

# In one step: incomplete notes are of no use. While the notes are there, the old files stay too.
remove_undo_notes() {
  rm -rf "$UNDO.old"
  mv "$UNDO" "$UNDO.old" || return
  rm -rf "$UNDO.old" "$aside"
}

# Undoes this deploy, or one that was killed: the files, and then the containers.
undo() {
  PROJECT=$(cat "$UNDO/project")
  bring_files_back
  [ -z "$unmoved" ] || report unmoved "$unmoved"
  undone=yes
  if [ -e "$UNDO/switched" ]; then
    if [ -n "$(running_in "$(cat "$UNDO/baseline")")" ]; then bring_back; else stop_ours; fi
  fi
  # When something is not back, its notes and files stay.
  [ -z "$undone" ] || [ -n "$unmoved" ] || remove_undo_notes
}

bring_files_back() {
  local each
  while IFS= read -r each; do
    if [ -e "$aside/old/$each" ] || [ -L "$aside/old/$each" ]; then
      bring_file_back "$each" || unmoved=$FOLDER/$each
    fi
  done <"$UNDO/replaced"
  while IFS= read -r each; do
    rm -f "$FOLDER/$each" || [ ! -f "$FOLDER/$each" ] || unmoved=$FOLDER/$each
  done <"$UNDO/absent"
  sed '1!G;h;$!d' "$UNDO/made" | while IFS= read -r each; do rmdir "$FOLDER/$each" 2>/dev/null; done
}

# Docker makes an empty folder where a mounted file is missing. `mv` would move the file into it.
bring_file_back() {
  { [ ! -d "$FOLDER/$1" ] || rmdir "$FOLDER/$1"; } && mv -f "$aside/old/$1" "$FOLDER/$1"
}

# Nothing ran before: what we started stops, and stays there so that its logs can be read.
stop_ours() {
  local tries=30 id
  log 'stopping the containers that this deploy started'
  until engine_answers || [ "$tries" = 0 ]; do
    tries=$((tries - 1))
    sleep 1
  done
  each_container | while read -r _ id _; do
    docker stop "$id" >/dev/null 2>&1 || log "the container $id could not be stopped"
  done
}

# An engine that restarts takes no commands for some seconds.
bring_back() {
  local tries=30
  [ -n "$recovering" ] || watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
  log "starting the previous version of $PROJECT again"
  until restore; do
    [ "$tries" -gt 25 ] || [ -n "$recovering" ] || remove_new_images
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      log "$restore_error"
      report lost "$PROJECT"
      result=failed
      # The next deploy tries again.
      undone=
      return
    fi
    sleep 1
  done
  await_as_before
  [ -n "$recovering" ] || report restored "$(cat "$UNDO/images")"
  end_gap
  report_gap
  result=rolled-back
}

# On a full disk nothing starts. The new images are what we can remove, without those that ran
# before too.
remove_new_images() {
  local each id before
  before=$({ cat "$UNDO/images" && echo && cat "$UNDO/baseline"; } | tr '\n' ' ')
  for each in $IMAGE; do
    id=$(docker image inspect --format '{{.Id}}' "$each" 2>/dev/null)
    is_among "$each" "$before" || is_among "$id" "$before" || docker rmi "$each" >/dev/null 2>&1
  done
}

# Makes the containers of services that ran and do not run as they did, and starts these alone. A
# task that has ended does not run again: an old migration may not know the data of today.
restore() {
  local files all changed stopped service id status
  files=$(cat "$UNDO/compose")
  all=$(compose "$FOLDER" "$files" --profile '*' config --services 2>"$STATE/said" | tr '\n' ' ')
  restore_error=$(cat "$STATE/said")
  [ -n "$all" ] && engine_answers || return 1
  remove_orphans "$all" "$UNDO/our-files"
  changed=$(changed_services)
  [ -n "$changed" ] || return 0
  # shellcheck disable=SC2086 # one word each
  restore_error=$(compose "$FOLDER" "$files" up --no-start --no-build --pull never $changed \
    2>&1 </dev/null) || return 1
  stopped=$(each_container | while read -r service id _ _ status _; do
    [ "$status" = running ] || ! is_among "$service" "$changed" || echo "$id"
  done)
  # shellcheck disable=SC2086 # one word each
  [ -z "$stopped" ] || restore_error=$(docker start $stopped 2>&1) || return 1
  runs_as_before
}

# Prints the services that ran, and no longer have the same container which still runs.
changed_services() {
  local now_there service id status started
  now_there=$(each_container)
  while read -r service id _ _ status _ _ _ started; do
    [ "$status" = running ] || continue
    case $now_there in *"$id"*" running "*"$started"*) ;; *) echo "$service" ;; esac
  done <"$UNDO/baseline" | sort -u | tr '\n' ' '
}

# Whether each service that ran has a container of the same image that runs.
runs_as_before() {
  local running_now service image status
  running_now=$(each_container | while read -r service _ image _ status _; do
    [ "$status" != running ] || echo "$service $image"
  done)
  while read -r service _ image _ status _; do
    [ "$status" = running ] || continue
    case "
$running_now
" in *"
$service $image
"*) ;; *) return 1 ;; esac
  done <"$UNDO/baseline"
}

# The old version was healthy: it only gets the time to start.
await_as_before() {
  local deadline
  deadline=$(($(now) + 30))
  while each_container | grep -q ' starting ' && [ "$(now)" -lt "$deadline" ]; do pause; done
  [ -n "$HEALTH_HOST_PORT" ] || return 0
  until probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || [ "$(now)" -ge "$deadline" ]; do
    pause
  done
}
