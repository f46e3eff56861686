#!/bin/busybox sh
# Answers requests for /.
echo 'Content-Type: text/plain'
echo
echo "${GREETING:-no greeting} from version $(/bin/busybox cat /www/version)"
