#!/bin/sh
# Starts an executable assembly: bootstrap.sh DOTNET, the program that runs assemblies. The function brings what speaks
# the Runtime API (Amazon.Lambda.RuntimeSupport). Words and exit codes are those of AWS's script of the same purpose.
dotnet=$1

export LAMBDA_RUNTIME_NAME="${AWS_EXECUTION_ENV#AWS_Lambda_}"

if [ -z "$_HANDLER" ]; then
    echo "Error: No Lambda Handler function was specified."
    exit 103
fi

binary="$LAMBDA_TASK_ROOT/$_HANDLER"
assembly="${binary%.dll}.dll"
if [ -f "$assembly" ]; then
    set -- "$dotnet" exec "$assembly"
elif [ -f "$binary" ]; then
    set -- "$binary"
else
    echo "Error: executable assembly $assembly or binary $binary not found."
    exit 104
fi

wrapper=$AWS_LAMBDA_EXEC_WRAPPER
if [ -n "$wrapper" ]; then
    if [ ! -f "$wrapper" ]; then
        echo "$wrapper: does not exist"
        exit 127
    fi
    if [ ! -x "$wrapper" ]; then
        echo "$wrapper: is not an executable"
        exit 126
    fi
    set -- "$wrapper" "$@"
fi
exec "$@"
