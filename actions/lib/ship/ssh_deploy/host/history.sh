# The history of a service on this host: which images it had, and which of them can be removed.

# The image that served before this deploy. A compose project may have several, with blanks between.
previous=

# Adds a line of JSON to the history. $1 the result, $2 the gap in milliseconds, or nothing. When
# the disk is full the deploy goes on.
record() {
  local before line
  before=$(printf '%s' "$previous" | tr -cd 'A-Za-z0-9._/:@ -')
  line=$(printf '{"time":"%s",%s,"image":"%s","previous":"%s","result":"%s","gap_ms":%s}' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$HISTORY" "$IMAGE" "$before" "$1" "${2:-null}")
  printf '%s\n' "$line" >>"$STATE/history.jsonl" 2>/dev/null ||
    tell "the history could not be written: $STATE/history.jsonl"
}

# Prints the images that a deploy had as its new ones, the newest first, each once. $1 the result
# of these deploys, or `[^"]*` for all.
images_of_history() {
  sed -n "s/.*\"image\":\"\\([^\"]*\\)\".*\"result\":\"$1\".*/\\1/p" "$STATE/history.jsonl" \
    2>/dev/null | sed '1!G;h;$!d' | awk '!seen[$0]++'
}

# Prints what the deploys brought and what they found, the newest first, each once. Only the deploy
# that replaced it knows an image that was started by hand.
images_that_served() {
  local both='s/.*"image":"\([^"]*\)","previous":"\([^"]*\)","result":"deployed".*/\1 \2/p'
  sed -n "$both" "$STATE/history.jsonl" 2>/dev/null |
    sed '1!G;h;$!d' | tr ' ' '\n' | awk 'NF && !seen[$0]++'
}

# Removes the images of this service that are neither used nor among the newest KEEP that were
# deployed. Without force, so that an image stays while any container uses it. Images of others are
# never removed.
prune() {
  local unused
  # A release of several images has them on one line.
  images_of_history deployed | head -n "$KEEP" | tr ' ' '\n' >"$STATE/kept"
  # On a full disk this list is cut off, and we would remove what has to stay.
  [ -s "$STATE/kept" ] || [ -z "$(images_of_history deployed)" ] || return 0
  unused=$(images_of_history '[^"]*' | tr ' ' '\n' | grep -vxF -f "$STATE/kept" | head -n 50)
  rm -f "$STATE/kept"
  # shellcheck disable=SC2086 # one word each
  [ -z "$unused" ] || docker rmi $unused >/dev/null 2>&1
  [ "$(wc -l <"$STATE/history.jsonl")" -le 1000 ] || shorten_history
} 2>/dev/null

shorten_history() {
  tail -n 500 "$STATE/history.jsonl" >"$STATE/history.new" &&
    mv -f "$STATE/history.new" "$STATE/history.jsonl"
}
