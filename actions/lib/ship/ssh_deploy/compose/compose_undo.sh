# The way back of a compose project: it is written down before the first change, so that the next
# deploy can go it too, when this one was killed.

# A deploy was killed, with this whole shell or with its power. What it had decided stays decided.
recover() {
  if [ -d "$UNDO" ]; then
    if [ "$(cat "$UNDO/release")" = "$(cat "$STATE/current" 2>/dev/null)" ]; then
      forget_way_back
    else
      say 'an earlier deploy was killed: what it changed is undone'
      rm -f "$RELEASES/$(cat "$UNDO/release")/deployed"
      wanted=$FOLDER
      go_back "$(cat "$UNDO/folder" 2>/dev/null)"
      use_folder "$wanted"
      PROJECT=$SAID_PROJECT
    fi
  fi
  rm -rf "$UNDO.new" "$UNDO.old" "$aside"
}

# $1 the folder where it was killed: `dir` may be another by now, or the folder may have moved.
go_back() {
  if [ -d "$1" ]; then
    use_folder "$1"
  elif [ -n "$1" ] && [ ! -d "$aside" ]; then
    say "its folder is no more: $1"
    forget_way_back
    return
  fi
  # From here on it is ours to bring back, whatever ends us.
  recovering=yes installed=yes
  undo
  recovering=''
  installed=''
  [ -z "$unmoved" ] || fail in-the-way "$unmoved"
  [ -n "$undone" ] || give_old_up
}

# One that does not start any more, because it was broken already, stops no deploy that may mend it.
give_old_up() {
  engine_answers || fail start-project "$said"
  say "$said"
  say "$PROJECT does not start: nobody serves until the new one does"
  forget_way_back
}

# Writes the way back down and swaps the files. Whatever needs space is done before the first change.
install_files() {
  [ -z "$installed" ] || return 0
  note_way_back
  mv "$UNDO.new" "$UNDO" || fail disk "$UNDO"
  installed=yes
  while read -r each; do mv -f "$aside/new/$each" "$FOLDER/$each" || fail in-the-way "$FOLDER/$each"; done <"$UNDO/changed"
  while read -r each; do rm -f "$FOLDER/$each"; done <"$UNDO/gone"
}

note_way_back() {
  rm -rf "$UNDO.new" "$aside"
  {
    mkdir "$UNDO.new" && mkdir -m 700 "$aside" && mkdir "$aside/old" "$aside/new" &&
      for each in changed absent replaced made; do true >"$UNDO.new/$each"; done &&
      cp -pR "$release/files/." "$aside/new/"
  } 2>/dev/null || fail disk "$aside"
  # In shells of their own: what is told when a signal comes must not go there.
  (gone_files) >"$UNDO.new/gone"
  while read -r each; do note_file "$each"; done <"$release/list"
  while read -r each; do ! [ -e "$FOLDER/$each" ] || keep_file "$each"; done <"$UNDO.new/gone"
  { printf '%s\n' "$RELEASE" >"$UNDO.new/release" && printf '%s' "$PROJECT" >"$UNDO.new/project" && printf '%s' "$FOLDER" >"$UNDO.new/folder" &&
    printf '%s\n' "$baseline" >"$UNDO.new/baseline" && printf '%s' "$previous" >"$UNDO.new/images" &&
    printf '%s\n' "$RELEASE" >"$STATE/current.new"; } 2>/dev/null || fail disk "$UNDO"
  note_old_files
  (our_files) >"$UNDO.new/our-files" 2>/dev/null || fail disk "$UNDO"
}

note_file() {
  if [ ! -e "$FOLDER/$1" ] && [ ! -L "$FOLDER/$1" ]; then
    echo "$1" >>"$UNDO.new/absent"
  elif [ -d "$FOLDER/$1" ]; then
    fail in-the-way "$FOLDER/$1"
  elif cmp -s "$FOLDER/$1" "$release/files/$1" && [ "$(runnable "$FOLDER/$1")" = "$(runnable "$release/files/$1")" ]; then
    return 0
  else
    keep_file "$1"
  fi
  case $1 in */*) make_folder "${1%/*}" || fail in-the-way "$FOLDER/${1%/*}" ;; esac
  echo "$1" >>"$UNDO.new/changed"
}

# Of all the mode only what git keeps. Not by `test -x`, which asks how the file system is mounted, too.
runnable() { find -H "$1" -prune -perm -100 -exec echo yes \;; }

# A folder that we made goes again on the way back, and no other.
make_folder() {
  [ ! -d "$FOLDER/$1" ] || return 0
  case $1 in */*) make_folder "${1%/*}" || return ;; esac
  (umask 022 && mkdir "$FOLDER/$1") 2>/dev/null && echo "$1" >>"$UNDO.new/made"
}

# As a second name of the same file, which takes no space, where that can be.
keep_file() {
  case $1 in */*) mkdir -p "$aside/old/${1%/*}" ;; esac
  ln "$FOLDER/$1" "$aside/old/$1" 2>/dev/null || cp -pP "$FOLDER/$1" "$aside/old/$1" || fail disk "$aside"
  echo "$1" >>"$UNDO.new/replaced"
}

# With which files the containers that run were made: not ours, when somebody made them by hand. Then
# the images that they have are said over them, because a tag may mean another by now.
note_old_files() {
  list=
  for each in $PINNED ''; do
    [ -n "$list" ] || list=$(docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" --filter "label=$SERVICE_LABEL${each:+=$each}" \
      --filter "label=com.docker.compose.oneoff=False" --format "{{.Label \"$PROJECT_LABEL.config_files\"}}" | head -n 1)
  done
  [ -n "$list" ] || list=$(cd "$FOLDER" && eval "printf '%s,' $FILES" | sed 's/-f,//g; s/,$//')
  printf '%s\n' "$list" | tr ',' '\n' >"$UNDO.new/config-files"
  if release_decides "$list"; then
    printf "%s -f './%s'" "$(cat "$RELEASES/$kept_release/compose")" "$OVERRIDE_FILE" >"$UNDO.new/compose" || fail disk "$UNDO"
    return
  fi
  taken_over=$STATE/taken-over.yml
  sed "s/'/'\\\\''/g; s/^/-f '/; s/\$/'/" "$UNDO.new/config-files" | tr '\n' ' ' >"$UNDO.new/compose"
  case $list in *"/$OVERRIDE_FILE" | *"$taken_over") return 0 ;; esac
  comma=
  printf '%s\n' "$baseline" | while read -r service _ id image status _; do
    { [ "$status" = running ] && is_among "$service" "$PINNED"; } || continue
    [ "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null)" != "$id" ] || continue
    printf '%s"%s":{"image":"%s"}' "$comma" "$service" "$id"
    comma=,
  done | sed 's/^/{"services":{/; s/$/}}/' >"$taken_over"
  if [ -s "$taken_over" ]; then printf " -f '%s'" "$taken_over" >>"$UNDO.new/compose"; else rm -f "$taken_over"; fi
}

# Compose leaves the label of a container that it does not replace as it is, so it may name files that
# our releases since then have renamed. Not where somebody used one that is there and is none of ours.
# $1 the label.
release_decides() {
  [ -n "$kept_release" ] || return 1
  [ -z "$(files_no_more <"$UNDO.new/config-files")" ] || return 0
  case $1 in *"/$OVERRIDE_FILE") ;; *) return 1 ;; esac
  sed "s|^|$FOLDER/|" "$RELEASES/$kept_release/list" >"$STATE/said"
  ! grep -qvxF -f "$STATE/said" "$UNDO.new/config-files"
}

files_no_more() { while read -r each; do [ -e "$each" ] || printf '%s\n' "$each"; done; }

# Those of the release that serves, of this one, and those by which an earlier one of ours went.
our_files() {
  cat "$UNDO.new/config-files" && files_of "$FILES" &&
    { [ -z "$kept_release" ] || files_of "$(cat "$RELEASES/$kept_release/compose")"; } &&
    docker ps -a --filter "label=$PROJECT_LABEL=$PROJECT" --format "{{.Label \"$PROJECT_LABEL.config_files\"}}" |
    grep "/$OVERRIDE_FILE\$" | tr ',' '\n' | files_no_more
}

# $1 options for `eval`.
files_of() { eval "printf '%s\n' $1 -f ./$OVERRIDE_FILE" | sed -n "s|^\\./|$FOLDER/|p"; }

# In one step: half of a way back leads nowhere.
forget_way_back() {
  rm -rf "$UNDO.old"
  mv "$UNDO" "$UNDO.old"
  rm -rf "$UNDO.old" "$aside"
}

# Goes the way back, of this deploy or of one that was killed: the files, and then what runs.
undo() {
  PROJECT=$(cat "$UNDO/project")
  put_files_back
  [ -z "$unmoved" ] || tell unmoved "$unmoved"
  undone=yes
  if [ -e "$UNDO/switched" ]; then
    if [ -n "$(running_in "$(cat "$UNDO/baseline")")" ]; then bring_back; else stop_ours; fi
  fi
  # Whatever is not back is kept.
  [ -z "$undone" ] || [ -n "$unmoved" ] || forget_way_back
}

put_files_back() {
  while read -r each; do
    if [ -e "$aside/old/$each" ] || [ -L "$aside/old/$each" ]; then put_back "$each" || unmoved=$FOLDER/$each; fi
  done <"$UNDO/replaced"
  while read -r each; do rm -f "$FOLDER/$each"; done <"$UNDO/absent"
  sed '1!G;h;$!d' "$UNDO/made" | while read -r each; do rmdir "$FOLDER/$each" 2>/dev/null; done
}

# Docker makes an empty folder of what is mounted and not there; into a folder it would be moved.
put_back() { { [ ! -d "$FOLDER/$1" ] || rmdir "$FOLDER/$1"; } && mv -f "$aside/old/$1" "$FOLDER/$1"; }

# Nothing ran before: what we started stops and stays stopped, so that its logs can be read.
stop_ours() {
  say 'stopping what was started'
  tries=30
  until engine_answers || [ "$tries" = 0 ]; do
    tries=$((tries - 1))
    sleep 1
  done
  each_container | while read -r _ id _; do
    docker stop "$id" >/dev/null 2>&1
  done
}

# An engine that restarts needs some seconds before it takes commands again.
bring_back() {
  [ -n "$recovering" ] || watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH"
  say "bringing the previous $PROJECT back"
  tries=30
  until restore; do
    [ "$tries" -gt 25 ] || [ -n "$recovering" ] || remove_new_images
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      say "$said"
      tell lost "$PROJECT"
      result=failed
      # The next deploy tries again.
      undone=
      return
    fi
    sleep 1
  done
  await_as_before
  [ -n "$recovering" ] || tell restored "$(cat "$UNDO/images")"
  end_gap
  [ -z "$gap" ] || tell gap "$gap"
  result=rolled-back
}

# On a full disk nothing starts: the new images are what can go, but for those that ran before, too.
remove_new_images() {
  came=$({ cat "$UNDO/images" && echo && cat "$UNDO/baseline"; } | tr '\n' ' ')
  for each in $IMAGE; do
    id=$(docker image inspect --format '{{.Id}}' "$each" 2>/dev/null)
    is_among "$each" "$came" || is_among "$id" "$came" || docker rmi "$each" >/dev/null 2>&1
  done
}

# Makes the containers of services that ran, and do not run as they did, and starts these alone. What
# came to its end is not run again: an old migration may not know the data of today.
restore() {
  old=$(cat "$UNDO/compose")
  all=$(compose "$FOLDER" "$old" --profile '*' config --services 2>"$STATE/said" | tr '\n' ' ')
  said=$(cat "$STATE/said")
  [ -n "$all" ] && engine_answers || return 1
  drop_orphans "$all" "$UNDO/our-files"
  changed=$(changed_services)
  [ -n "$changed" ] || return 0
  # shellcheck disable=SC2086 # one word each
  said=$(compose "$FOLDER" "$old" up --no-start --no-build --pull never $changed 2>&1 </dev/null) || return 1
  stopped=$(each_container | while read -r service id _ _ status _; do
    [ "$status" = running ] || ! is_among "$service" "$changed" || echo "$id"
  done)
  # shellcheck disable=SC2086 # one word each
  [ -z "$stopped" ] || said=$(docker start $stopped 2>&1) || return 1
  runs_as_before
}

# Services that ran, and have a container no more that is the same and still runs.
changed_services() {
  there=$(each_container)
  while read -r service id _ _ status _ _ _ started; do
    [ "$status" = running ] || continue
    case $there in *"$id"*" running "*"$started"*) ;; *) echo "$service" ;; esac
  done <"$UNDO/baseline" | sort -u | tr '\n' ' '
}

# Whether each service that ran has a container of the same image that runs.
runs_as_before() {
  there=$(each_container | while read -r service _ image _ status _; do [ "$status" != running ] || echo "$service $image"; done)
  while read -r service _ image _ status _; do
    [ "$status" = running ] || continue
    case "
$there
" in *"
$service $image
"*) ;; *) return 1 ;; esac
  done <"$UNDO/baseline"
}

# It was good: it is only given the time to start.
await_as_before() {
  deadline=$(($(now) + 30))
  while each_container | grep -q ' starting ' && [ "$(now)" -lt "$deadline" ]; do nap; done
  [ -n "$HEALTH_HOST_PORT" ] || return 0
  until probe "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || [ "$(now)" -ge "$deadline" ]; do nap; done
}
