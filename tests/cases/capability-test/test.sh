# The test of the app: the catalog answers, and the version is a number.
wget -q -O - "$1" && grep -qx '[0-9]*' VERSION
