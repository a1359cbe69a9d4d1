#!/bin/sh
# Starts a .NET function: bootstrap.sh DOTNET [OPTION ...], the program that runs assemblies and what it is to be told.
# A handler with colons is a method of a class library, which the runtime beside this script loads; any other is an
# executable assembly that speaks the Runtime API itself. Words and exit codes are those of AWS's script of this purpose.
dotnet=$1
shift

fail() { # STATUS TEXT
    echo "Error: $2"
    exit "$1"
}

# PURPOSE.json of the assembly that is named, else the only one there is
find_settings() { # ASSEMBLY PURPOSE STATUS
    found="$LAMBDA_TASK_ROOT/$1.$2.json"
    [ -f "$found" ] && return
    count=0
    for found in "$LAMBDA_TASK_ROOT"/*."$2.json"; do
        [ -f "$found" ] && count=$((count + 1))
    done
    [ "$count" -eq 1 ] || fail "$3" ".NET binaries for Lambda function are not correctly installed in the $LAMBDA_TASK_ROOT directory of the image when the image was built. The $LAMBDA_TASK_ROOT directory is missing the required .$2.json file."
}

export LAMBDA_RUNTIME_NAME="${AWS_EXECUTION_ENV#AWS_Lambda_}"

[ -n "$_HANDLER" ] || fail 103 "No Lambda Handler function was specified."

case $_HANDLER in
*:*)
    assembly=${LAMBDA_DOTNET_MAIN_ASSEMBLY:-${_HANDLER%%:*}}
    find_settings "${assembly%.dll}" deps 105
    dependencies=$found
    find_settings "${assembly%.dll}" runtimeconfig 106
    set -- "$dotnet" exec "$@" --depsfile "$dependencies" --runtimeconfig "$found" "${0%/*}/Lampion.Runtime.dll" "$_HANDLER"
    ;;
*)
    binary="$LAMBDA_TASK_ROOT/$_HANDLER"
    assembly="${binary%.dll}.dll"
    if [ -f "$assembly" ]; then
        set -- "$dotnet" exec "$@" "$assembly"
    elif [ -f "$binary" ]; then
        set -- "$binary"
    else
        fail 104 "executable assembly $assembly or binary $binary not found."
    fi
    ;;
esac
unset found count assembly binary dependencies dotnet

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
