# Whether an older commit would replace a newer one: a run that was slow, or that was started again.
#
# COMMIT (parameter): the commit of this deploy, as four words: its workflow, its branch or Git tag,
# the commit, the number of its run. Empty when the person wants this deploy, whatever serves.
#
# is_before in runner/commit.py has the same rule for tags of images.

# Before anything is touched. What a person has started by hand is not in the history, and what a
# rollback brought has no commit there.
check_commit() {
  [ -n "$COMMIT" ] && [ -n "$previous" ] || return 0
  set -f
  # shellcheck disable=SC2046,SC2086 # no word has a blank
  set -- $COMMIT $(commit_that_serves)
  set +f
  [ $# = 10 ] || return 0
  [ "$1" = "$5" ] && [ "$3" != "$7" ] || return 0
  case "$2 $6" in
    "$6 $2" | 'refs/tags/'*' refs/tags/'*) ;;
    *) return 0 ;;
  esac
  case $4$8 in *[!0-9]*) return 0 ;; esac
  [ "$4" -lt "$8" ] || return 0
  fail older-commit "$(printf '%.12s' "$7") of ${6#refs/*/}, since $9, by ${10}"
}

# Prints the four words of the commit that serves, with the time and the run of its deploy. A line
# that a full disk has cut off may stand before that of the deploy.
commit_that_serves() {
  grep -F '"result":"deployed"' "$STATE/history.jsonl" 2>/dev/null | tail -n 1 |
    grep -F "\"image\":\"$previous\"" |
    sed -n -e 's/.*{"time":/{"time":/' \
      -e 's/^{"time":"\([^"]*\)".*"run": "\([^"]*\)".*"commit": "\([^"]*\)".*/\3 \1 \2/p'
}
