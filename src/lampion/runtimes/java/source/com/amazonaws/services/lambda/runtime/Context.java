package com.amazonaws.services.lambda.runtime;

/** One invocation, and the function that it is of. */
public interface Context {
    String getAwsRequestId();

    String getLogGroupName();

    String getLogStreamName();

    String getFunctionName();

    String getFunctionVersion();

    String getInvokedFunctionArn();

    /** Null unless a mobile application invoked the function. */
    CognitoIdentity getIdentity();

    /** Null unless the caller gave one. */
    ClientContext getClientContext();

    /** Until the invocation times out. */
    int getRemainingTimeInMillis();

    int getMemoryLimitInMB();

    LambdaLogger getLogger();

    /** Null for a function that isn't isolated by tenant. */
    default String getTenantId() {
        return null;
    }

    /** Null when the invocation isn't traced. */
    default String getXrayTraceId() {
        return null;
    }
}
