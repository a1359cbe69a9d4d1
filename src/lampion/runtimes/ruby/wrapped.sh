#!/bin/sh
# Starts a runtime through the program that AWS_LAMBDA_EXEC_WRAPPER names, with the runtime's command as its arguments.
wrapper=$AWS_LAMBDA_EXEC_WRAPPER
if [ ! -f "$wrapper" ]; then
    echo "$wrapper: does not exist"
    exit 127
fi
if [ ! -x "$wrapper" ]; then
    echo "$wrapper: is not an executable"
    exit 126
fi
exec "$wrapper" "$@"
