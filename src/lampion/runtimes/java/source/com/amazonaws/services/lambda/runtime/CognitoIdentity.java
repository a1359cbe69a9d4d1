package com.amazonaws.services.lambda.runtime;

/** The Amazon Cognito identity that authorised the request. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
