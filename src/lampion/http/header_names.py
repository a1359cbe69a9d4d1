"""Header names as clients of Lambda spell them, so that most needn't be decoded and lowered each time."""

from typing import Final

USUAL_NAMES: Final = {
    spelling.encode(): name.lower()
    for name in (
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Content-Type",
        "Content-Length",
        "Connection",
        "Expect",
        "Amz-Sdk-Invocation-Id",
        "Amz-Sdk-Request",
        "X-Amz-Date",
        "X-Amz-Invocation-Type",
        "X-Amz-Log-Type",
        "X-Amzn-Trace-Id",
        "X-Amz-User-Agent",
        "X-Amz-Content-Sha256",
        "Lambda-Runtime-Invocation-Id",
        "Lambda-Runtime-Function-Error-Type",
        "Lampion-Runtime-Next",
    )
    for spelling in (name, name.lower())
}
