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
    # Nor does one of our functions stand in for a program of the host.
    unset -f say tell finish tidy interrupted phase phase_lock phase_script phase_leave fail \
      look exists running image_of is_ours engine_answers nap now clock with_app_environment \
      show_logs probe is_healthy run_health_command await_healthy watch_gap begin_gap end_gap \
      end_watch port_of open_state take_lock group look_at_holder remember explain \
      images_of_history images_that_served prune shorten_history forget_ours app_environment \
      secret_files
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
