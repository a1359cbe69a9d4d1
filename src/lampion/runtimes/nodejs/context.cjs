"use strict";
/* The members of a handler's `context` that come from the environment and from an invocation's headers. */

const HEADER = {
  functionArn: "lambda-runtime-invoked-function-arn",
  requestId: "lambda-runtime-aws-request-id",
  deadlineMs: "lambda-runtime-deadline-ms",
  clientContext: "lambda-runtime-client-context",
  identity: "lambda-runtime-cognito-identity",
  traceId: "lambda-runtime-trace-id",
  tenantId: "lambda-runtime-aws-tenant-id",
};

function functionMembers(environ) {
  return {
    functionVersion: environ.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: environ.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: environ.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environ.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environ.AWS_LAMBDA_LOG_STREAM_NAME,
  };
}

/** `parse` reads the headers that hold JSON: (text, header's name) -> value. */
function invocationMembers(headers, parse) {
  const deadlineMs = Number(headers[HEADER.deadlineMs]);
  return {
    clientContext: parse(headers[HEADER.clientContext], HEADER.clientContext),
    identity: parse(headers[HEADER.identity], HEADER.identity),
    invokedFunctionArn: headers[HEADER.functionArn],
    awsRequestId: headers[HEADER.requestId],
    tenantId: headers[HEADER.tenantId],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

/** Tell tracing libraries whose trace this invocation belongs to. */
function forwardTraceId(headers, environ) {
  const traceId = headers[HEADER.traceId];
  if (traceId) {
    environ._X_AMZN_TRACE_ID = traceId;
  } else {
    delete environ._X_AMZN_TRACE_ID;
  }
}

module.exports = { HEADER, functionMembers, invocationMembers, forwardTraceId };
