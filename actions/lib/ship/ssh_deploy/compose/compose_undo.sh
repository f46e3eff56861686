# The undo of a compose project. Its notes are written before the first change, so that the next
# deploy can undo this one when it was killed.

# Whether this session undoes an earlier deploy, and not its own.
recovering=
# A file that could not be brought back.
unmoved=
# Whether the undo is complete, as far as the containers go.
undone=
# What is known of the version that was brought back: answered, running or nobody.
restored_state=
# Why it did not answer, in words.
restored_silence=
# The name of the container that keeps some room.
room=
# Whether the new containers were removed because the disk is full.
made_room=
# Why compose could not bring the containers back.
restore_error=

# A deploy was killed, alone or with its host. What it had decided stays decided.
recover() {
  local wanted="$FOLDER"
  if [ -d "$UNDO" ]; then
    room=$(cat "$UNDO/project")-gen-workflow-room
    if [ "$(cat "$UNDO/release")" = "$(cat "$STATE/current" 2>/dev/null)" ]; then
      remove_undo_notes
    else
      tell 'an earlier deploy was killed: the host undoes its changes'
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
    tell "the folder of the earlier deploy does not exist any more, so there is nothing to undo: $1"
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

files_no_more() {
  local file
  while IFS= read -r file; do [ -e "$file" ] || printf '%s\n' "$file"; done
}

# $1 options for `eval`.
files_of() {
  eval "printf '%s\n' $1 -f ./$OVERRIDE_FILE" | sed -n "s|^\\./|$FOLDER/|; /^\\//p"
}

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
  [ -z "$undone" ] || [ -n "$unmoved" ] || { remove_copies && remove_undo_notes; }
}

# What they are copies of is in its place again.
remove_copies() {
  rm -rf "${copies:?}/$(cat "$UNDO/release")"
  rmdir "$copies" 2>/dev/null || :
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
    [ "$tries" -gt 25 ] || [ -n "$recovering" ] || make_room
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      log "$restore_error"
      report lost "$PROJECT"
      report serving nobody
      report silence "$(printf '%s\n' "$restore_error" | tail -n 1)"
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
  [ "$restored_state" != nobody ] || {
    log "the previous version of $PROJECT was started again, and is not healthy"
    result=failed
  }
  [ -n "$recovering" ] || {
    report serving "$restored_state"
    [ -z "$restored_silence" ] || report silence "$restored_silence"
  }
}

# On a full disk nothing can be made or started. What is new can go: the containers, and then the
# images, without those that ran before too.
make_room() {
  local each id before
  # It has the new image.
  remove_room
  case $restore_error in
    *'no space left'*)
      # Only once: then what is not in the notes is the old version, made again.
      [ -n "$made_room" ] || remove_new_containers '*'
      made_room=yes
      ;;
  esac
  before=$({ cat "$UNDO/images" && echo && cat "$UNDO/baseline"; } | tr '\n' ' ')
  for each in $IMAGE; do
    id=$(docker image inspect --format '{{.Id}}' "$each" 2>/dev/null)
    is_among "$each" "$before" || is_among "$id" "$before" || docker rmi "$each" >/dev/null 2>&1
  done
}

# Makes a container that never runs. Where nothing else of ours can be removed from a full disk, it
# is the room that an old one needs to start: new images may have nothing that old ones do not.
keep_room() {
  room=$PROJECT-gen-workflow-room
  docker rm -f -v "$room" >/dev/null 2>&1
  docker create --name "$room" "${IMAGE%% *}" room >/dev/null 2>&1
}

remove_room() {
  [ -z "$room" ] || docker rm -f -v "$room" >/dev/null 2>&1
  room=
}

# Removes containers of the project that this deploy has made. $1 a pattern: those in this state.
remove_new_containers() {
  local id status
  each_container | while read -r _ id _ _ status _; do
    # shellcheck disable=SC2254 # a pattern
    grep -qF " $id " "$UNDO/baseline" ||
      case $status in $1) docker rm -f "$id" >/dev/null 2>&1 ;; esac
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
  # A compose that was interrupted may leave the new container beside the old one. The next compose
  # would try to keep one of both, and fail.
  remove_new_containers created
  changed=$(changed_services)
  [ -n "$changed" ] || return 0
  pull_old_images "$changed" || return
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

# Another program, such as a prune by cron, may have removed an image that no container had. $1 the
# services.
pull_old_images() {
  local service id image status digest
  while read -r service _ id image status _; do
    { [ "$status" = running ] && is_among "$service" "$1"; } || continue
    ! has_image "$id" || ! has_image "$image" || continue
    case $image in
      *@*) digest=$image ;;
      *) digest=$(sed -n "s|^$id \\([^ ]*\\).*|\\1|p" "$UNDO/digests" 2>/dev/null) ;;
    esac
    restore_error="the image $image of the previous version was removed from the host"
    [ -n "$digest" ] || return
    has_image "$digest" || pull_again "$digest" ||
      { restore_error="$restore_error ($docker_output)" && return 1; }
    has_image "$image" || docker tag "$digest" "$image" || return
  done <"$UNDO/baseline"
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

# Waits until the old version has had the time to start, and sets `restored_state`. It is asked what
# it answered before the switch.
await_as_before() {
  local deadline address port path
  deadline=$(($(now) + 30))
  while each_container | grep -q ' starting ' && [ "$(now)" -lt "$deadline" ]; do pause; done
  restored_state=$(state_of_containers)
  restored_silence=
  { read -r address port path <"$UNDO/answered"; } 2>/dev/null || { ask_anyway && return; }
  restored_state=answered
  until probe "$address" "$port" "$path"; do
    [ "$(now)" -lt "$deadline" ] || {
      restored_state=nobody
      restored_silence="GET $path on port $port gave $answer"
      return
    }
    pause
  done
}

# The old version may not know the path. Then its answer says nothing.
ask_anyway() {
  [ "$restored_state" = running ] && [ -n "$HEALTH_PATH" ] && [ -n "$HEALTH_HOST_PORT" ] || return 0
  if probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"; then
    restored_state=answered
  else
    restored_silence="GET $HEALTH_PATH on port $HEALTH_HOST_PORT gave $answer"
  fi
}

# Prints `answered` when a HEALTHCHECK says it of each of our services, `nobody` when a service that
# ran does not run, or is not healthy as it was.
state_of_containers() {
  each_container | awk -v ours="$(cat "$UNDO/pinned" 2>/dev/null)" '
    NR == FNR && $5 == "running" { ran[$1] = 1; if ($8 == "healthy") was[$1] = 1 }
    NR != FNR && $5 == "running" { runs[$1] = 1; if ($8 == "healthy") is[$1] = 1 }
    END {
      for (each in ran) if (!(each in runs) || ((each in was) && !(each in is))) nobody = 1
      state = split(ours, names, " ") ? "answered" : "running"
      for (i in names) if ((names[i] in ran) && !(names[i] in is)) state = "running"
      print nobody ? "nobody" : state
    }' "$UNDO/baseline" -
}
