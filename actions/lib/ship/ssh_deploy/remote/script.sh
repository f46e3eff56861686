# Commands of the person, and nothing else: with the environment that they asked for, and up to the
# first that fails.

phase_script() {
  tell script yes
  (
    umask "$UMASK"
    trap - EXIT TERM INT HUP PIPE
    # A variable of the app may have the name of any of ours, and none of ours is for the commands.
    set -- "$SCRIPT"
    forget_ours
    app_environment
    set +u -e
    eval "shift; $1"
  ) 9>&-
  code=$?
  tell exit-code "$code"
  [ "$code" = 0 ] || fail script "$code"
  tell committed yes
}

forget_ours() {
  unset MARK NAME OWNER LOCK_TIMEOUT LOCK_EXPIRES HISTORY SCRIPT UMASK LABEL RELEASE STATE
  unset finished has_lock gap gap_since gap_watcher
  unset lock_deadline holder asked_at held_by held_until held_words
}
