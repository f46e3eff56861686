# Files of the host that no deploy wrote, or that a person changed since. A deploy never overwrites,
# removes or stops reading such a file, unless `host-files` says what to do with it. What we wrote
# is known by the release that serves, which has a copy of each file. A `.env` that was merged is
# still one of the host: then the release has our part of it as `env`.
#
# HOST_FILES (parameter): what to do with them, a line `WORD PATH` for a file, and last the word for
# all others: refuse, keep, merge or replace.

# The names that compose looks for by itself, in its order.
OVERRIDES='compose.override.yml compose.override.yaml docker-compose.override.yml
docker-compose.override.yaml'
ENVIRONMENT_FILE=com.docker.compose.project.environment_file
# Reads the files OURS and HOST as compose reads a `.env`, and prints how they differ, without a
# value, or the lines of HOST with variables that neither OURS nor DROPPED has. A quoted value may
# have several lines; a line within it may look like a variable, and could be a part of a secret.
DOTENV='
function ends(text, quote, from,  i, c, escaped) {
  for (i = from; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (escaped) escaped = 0
    else if (c == "\\") escaped = 1
    else if (c == quote) return i
  }
  return 0
}
function plain(kind, text) {
  return text ~ (kind == "\047" ? "\\\\" : "[\\\\$]") ? kind text : "=" text
}
function entry(line,  kind, rest, end, more) {
  name = ""; text = line; value = ""
  rest = line
  sub(/\r$/, "", rest); sub(/^[ \t]+/, "", rest); sub(/^export[ \t]+/, "", rest)
  if (!match(rest, /^[A-Za-z_][A-Za-z0-9_.-]*[ \t]*([=:]|$)/)) return
  name = substr(rest, 1, RLENGTH)
  rest = substr(rest, RLENGTH + 1)
  sub(/[ \t]*[=:]?$/, "", name); sub(/^[ \t]+/, "", rest)
  kind = substr(rest, 1, 1)
  if (kind == "\047" || kind == "\"") {
    while (!(end = ends(rest, kind, 2)) && (getline more < file) > 0) {
      rest = rest "\n" more
      text = text "\n" more
    }
    value = plain(kind, substr(rest, 2, end - 2))
  } else {
    sub(/[ \t]+#.*/, "", rest); sub(/[ \t]+$/, "", rest)
    value = plain("", rest)
  }
}
function list(names, sep) { return names == "" ? sep : names ", " sep }
BEGIN {
  file = ENVIRON["DROPPED"]
  while (file != "" && (getline line < file) > 0) { entry(line); dropped[name] = 1 }
  file = ENVIRON["OURS"]
  while ((getline line < file) > 0) { entry(line); ours[name] = value }
  file = ENVIRON["HOST"]
  while ((getline line < file) > 0) {
    entry(line)
    if (name == "" || !((name in ours) || (name in dropped))) left = left text "\n"
    if (name == "") continue
    if (!(name in host)) names[++count] = name
    host[name] = value
  }
  if (ENVIRON["MERGE"] != "") { printf "%s", left; exit }
  for (i = 1; i <= count; i++) {
    name = names[i]
    if (!(name in ours)) { if (++lacking <= 20) lacks = list(lacks, name) }
    else if (ours[name] != host[name] && ++differing <= 20) differs = list(differs, name)
  }
  if (lacking > 20) lacks = lacks " and " lacking - 20 " more"
  if (differing > 20) differs = differs " and " differing - 20 " more"
  if (lacking) printf "the new one lacks %s", lacks
  if (differing) printf "%s has another value of %s", lacking ? " and" : "the new one", differs
}'

# Decides about each file of the host that this release would replace, remove or not read any more.
# It touches only the release.
settle_host_files() {
  local each
  for each in kept copies dropped unsettled; do
    true 2>/dev/null >"$release/$each" || fail disk "$release"
  done
  # In shells of their own: when a signal comes, our facts must not go to these files.
  (cat "$release/list" && lost_files) >"$release/at-risk" || fail disk "$release"
  while IFS= read -r each; do settle_written "$each"; done <"$release/at-risk"
  (files_read_now | sort -u) >"$release/at-risk" || fail disk "$release"
  while IFS= read -r each; do settle_unread "$each"; done <"$release/at-risk"
  [ -n "$kept_release" ] || settle_env_files
  settle_idle_override
  [ ! -s "$release/unsettled" ] || fail host-files "$(first_unsettled)"
  rm -f "$release/unsettled" "$release/at-risk"
  list_files "$release"
  printf '%s' "$FILES" 2>/dev/null >"$release/compose" || fail disk "$release"
}

first_unsettled() {
  sed '2,10s/^/, /; 11,$d' "$release/unsettled" | tr -d '\n'
  sed '1,10d' "$release/unsettled" | wc -l | awk '$1 { printf ", and %d more", $1 }'
}

# $1 one of the lists, $2 a line.
settled() { printf '%s\n' "$2" 2>/dev/null >>"$release/$1" || fail disk "$release"; }

# Prints what to do with a file. $1 its path.
wish_for() {
  local word path
  printf '%s\n' "$HOST_FILES" | while read -r word path; do
    case $path in '' | "$1") echo "$word" && break ;; esac
  done
}

# $1 the path of a file.
is_from_last_deploy() {
  [ -n "$kept_release" ] && [ -e "$RELEASES/$kept_release/files/$1" ]
}

# Whether a file has what our last deploy wrote. $1 its path.
is_as_written() {
  is_from_last_deploy "$1" && cmp -s "$FOLDER/$1" "$RELEASES/$kept_release/files/$1" &&
    { [ "$1" != .env ] || [ ! -e "$RELEASES/$kept_release/env" ]; }
}

# $1 the path of a file that this release has, or that our last release had.
settle_written() {
  local how
  [ "$1" != "$OVERRIDE_FILE" ] && [ -e "$FOLDER/$1" ] && [ ! -d "$FOLDER/$1" ] || return 0
  ! cmp -s "$FOLDER/$1" "$release/files/$1" && ! is_as_written "$1" || return 0
  if [ ! -e "$release/files/$1" ]; then
    how='this release has it no more, and it was changed on the host since the last deploy'
  elif [ "$1" = .env ]; then
    how=$(OURS="$release/files/.env" HOST="$FOLDER/.env" awk "$DOTENV")
    [ -n "$how" ] || { replace_file .env && return; }
    ! is_from_last_deploy .env || [ -e "$RELEASES/$kept_release/env" ] ||
      how="it was changed on the host since the last deploy: $how"
  elif is_from_last_deploy "$1"; then
    how='it was changed on the host since the last deploy'
  else
    how='the new one differs'
  fi
  case $(wish_for "$1") in
    keep) keep_host_file "$1" "$how" ;;
    replace) replace_file "$1" ;;
    merge) merge_file "$1" "$how" ;;
    *) settled unsettled "$1 ($how)" ;;
  esac
}

keep_host_file() {
  tell "keeping $1 of the host, and not writing the one of this release: $2"
  settled kept "$1"
  rm -f "$release/files/$1"
  # A folder without a file could not be copied onto the link that the view has for it.
  case $1 in */*) (cd "$release/files" && rmdir -p "${1%/*}") 2>/dev/null ;; esac
}

replace_file() {
  tell "replacing $1 of the host: a copy stays in $copies/$RELEASE"
  settled copies "$1"
}

# Our variables come first, so that those of the host can use them.
merge_file() {
  local ours="$release/env" dropped="$RELEASES/${kept_release:-none}/env"
  { [ "$1" = .env ] && [ -e "$release/files/.env" ]; } ||
    { settled unsettled "$1 (it cannot be merged: $2)" && return; }
  [ -e "$dropped" ] || dropped=
  {
    mv "$release/files/.env" "$ours" && cp "$ours" "$release/files/.env" &&
      (OURS="$ours" HOST="$FOLDER/.env" DROPPED="$dropped" MERGE=yes awk "$DOTENV") \
        >>"$release/files/.env"
  } 2>/dev/null || fail disk "$release"
  tell "merging .env: the variables of the host stay, where this release has none of that name"
  cmp -s "$FOLDER/.env" "$release/files/.env" ||
    { is_from_last_deploy .env && cmp -s "$FOLDER/.env" "$RELEASES/$kept_release/files/.env"; } ||
    settled copies .env
}

# Prints the compose files of the host that the project has now: before our first deploy those of
# its containers and what compose finds by itself; then those that our last release kept, and those
# with which somebody has started one of our services by hand.
files_read_now() {
  if [ -z "$kept_release" ]; then
    files_by_hand
    host_override
  else
    files_of "$(cat "$RELEASES/$kept_release/compose")"
    files_by_hand "$(cat "$RELEASES/$kept_release/pinned" 2>/dev/null)"
  fi | sed "s|^$FOLDER/||" | grep -vxF -e "$OVERRIDE_FILE" -f "$release/list"
}

# $1 the services that count, without it all.
files_by_hand() {
  local each real service files
  real=$(cd "$FOLDER" && pwd -P)
  for each in "$FOLDER" "$real"; do
    docker ps -a --filter "label=$PROJECT_LABEL.working_dir=$each" --format \
      "{{.Label \"$SERVICE_LABEL\"}} {{.Label \"$PROJECT_LABEL.config_files\"}}"
  done 2>/dev/null | while read -r service files; do
    [ $# = 0 ] || is_among "$service" "$1" || continue
    printf '%s\n' "$files" | tr ',' '\n' | sed "s|^$real/|$FOLDER/|"
  done
}

# Prints the override file that compose finds by itself in the folder of the project.
host_override() {
  local each
  for each in $OVERRIDES; do
    [ ! -f "$FOLDER/$each" ] || { printf '%s\n' "$FOLDER/$each" && return; }
  done
}

# $1 a compose file of the host, below the folder or as a full path.
settle_unread() {
  local path="$FOLDER/$1"
  case $1 in /*) path=$1 ;; esac
  # Our release may have the same file under another name.
  { [ -f "$path" ] && ! is_from_last_deploy "$1" && ! is_in_release "$path" &&
    ! is_read "$1"; } || return 0
  case $(wish_for "$1") in
    keep | merge) read_too "$1" ;;
    replace) drop_file "$1" ;;
    *) settled unsettled "$1 (compose reads it on the host, and this deploy would not)" ;;
  esac
}

is_in_release() {
  local each
  while IFS= read -r each; do
    ! cmp -s "$1" "$release/files/$each" || return 0
  done <"$release/list"
  return 1
}

is_read() {
  files_of "$FILES" | grep -qxF -e "$FOLDER/$1" -e "$1" || grep -qxF -e "$1" "$release/kept"
}

read_too() {
  local path="./$1"
  case $1 in /*) path=$1 ;; esac
  tell "reading $1 of the host after the compose files of this release"
  FILES="$FILES -f '$(printf '%s' "$path" | sed "s/'/'\\\\''/g")'"
  settled kept "$1"
}

drop_file() {
  case $1 in
    /*) tell "compose does not read $1 of the host any more" ;;
    *) replace_file "$1" && settled dropped "$1" ;;
  esac
}

# Prints the files that the project of this folder gets its variables from, besides `.env`.
env_files() {
  docker ps -a --filter "label=$PROJECT_LABEL.working_dir=$(cd "$FOLDER" && pwd -P)" \
    --format "{{.Label \"$ENVIRONMENT_FILE\"}}" 2>/dev/null | tr ',' '\n' | sort -u |
    grep -vxF -e '' -e "$FOLDER/.env" -e "$(cd "$FOLDER" && pwd -P)/.env"
}

# Compose reads them for `--env-file` alone, which no deploy gives.
settle_env_files() {
  local each
  (env_files) >"$release/at-risk"
  while IFS= read -r each; do
    [ -f "$each" ] || continue
    case $(wish_for "${each#"$FOLDER/"}") in
      replace) tell "compose does not read $each of the host any more" ;;
      *) settled unsettled "${each#"$FOLDER/"} (the project was started with it as its --env-file, \
and a deploy reads only .env: move its variables there, or into \`env\`)" ;;
    esac
  done <"$release/at-risk"
}

# An override file that is there, but with which nothing of ours was started.
settle_idle_override() {
  local each
  each=$(host_override)
  each=${each##*/}
  { [ -n "$each" ] && ! is_read "$each" && ! grep -qxF -e "$each" "$release/list" &&
    ! grep -qxF -e "$each" "$release/dropped"; } || return 0
  ! grep -q "^$each " "$release/unsettled" || return 0
  case $(wish_for "$each") in
    keep | merge) read_too "$each" ;;
    *) tell "this deploy does not read $each of the host; write $each=keep in host-files for it" ;;
  esac
}
