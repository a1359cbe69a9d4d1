#!/bin/sh
# A custom runtime of sh and curl; the handler names a file and a function in it, as in AWS's tutorial.
set -eu

api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
. "$LAMBDA_TASK_ROOT/$(echo "$_HANDLER" | cut -d. -f1).sh"

while true; do
    headers=$(mktemp)
    event=$(curl -sS -D "$headers" "$api/invocation/next")
    id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
    rm "$headers"
    answer=$("$(echo "$_HANDLER" | cut -d. -f2)" "$event")
    curl -sS -o /dev/null -X POST "$api/invocation/$id/response" --data-binary "$answer"
done
