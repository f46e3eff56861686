# The test of the app: its version is a number.
grep -qx '[0-9]*' VERSION
