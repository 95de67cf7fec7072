#!/usr/bin/env bash
# Keycloak's own readiness, by bash alone: its image has no HTTP client.
exec 3<> /dev/tcp/127.0.0.1/9000 || exit 1
printf 'GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r answer <&3
[[ $answer == *" 200 "* ]]
