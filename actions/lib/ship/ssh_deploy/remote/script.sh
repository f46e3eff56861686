# Commands of the person, and nothing else. They see nothing of this script but the environment that
# they asked for, and stop at the first that fails.

phase_lock() {
  open_state
  take_lock
}

phase_script() {
  (
    trap - EXIT TERM INT HUP PIPE
    app_environment
    set -eu
    eval "$SCRIPT"
  ) 9>&-
  code=$?
  tell exit-code "$code"
  [ "$code" = 0 ] || fail script "$code"
}
