package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import java.util.LinkedHashMap;
import java.util.Map;
import lampion.runtime.json.JsonReader;

/** The handler's second argument. */
final class InvocationContext implements Context {
    private static final int MEMORY_MB = memory();
    private static final String LOG_GROUP = System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    private static final String LOG_STREAM = System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    private static final String FUNCTION = System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    private static final String VERSION = System.getenv("AWS_LAMBDA_FUNCTION_VERSION");

    private final Event event;
    private final long deadlineMs;
    private final CognitoIdentity identity;
    private final ClientContext clientContext;

    InvocationContext(Event event) {
        this.event = event;
        this.deadlineMs = event.deadlineMs();
        this.identity = identity(event.json("lambda-runtime-cognito-identity"));
        this.clientContext = clientContext(event.json("lambda-runtime-client-context"));
    }

    private static int memory() {
        String text = System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        return text == null ? 128 : Integer.parseInt(text);
    }

    @Override
    public String getAwsRequestId() {
        return event.requestId;
    }

    @Override
    public String getLogGroupName() {
        return LOG_GROUP;
    }

    @Override
    public String getLogStreamName() {
        return LOG_STREAM;
    }

    @Override
    public String getFunctionName() {
        return FUNCTION;
    }

    @Override
    public String getFunctionVersion() {
        return VERSION;
    }

    @Override
    public String getInvokedFunctionArn() {
        return event.header("lambda-runtime-invoked-function-arn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        return identity;
    }

    @Override
    public ClientContext getClientContext() {
        return clientContext;
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, deadlineMs - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return MEMORY_MB;
    }

    @Override
    public LambdaLogger getLogger() {
        return LambdaRuntime.getLogger();
    }

    @Override
    public String getTenantId() {
        return event.header("lambda-runtime-aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return event.header("lambda-runtime-trace-id");
    }

    private static CognitoIdentity identity(String json) {
        if (json == null) {
            return null;
        }
        final Map<String, String> members = texts(JsonReader.parse(json));
        if (members == null) {
            return null;
        }
        return new CognitoIdentity() {
            @Override
            public String getIdentityId() {
                return members.get("cognitoIdentityId");
            }

            @Override
            public String getIdentityPoolId() {
                return members.get("cognitoIdentityPoolId");
            }
        };
    }

    private static ClientContext clientContext(String json) {
        Object parsed = json == null ? null : JsonReader.parse(json);
        if (parsed == null) {
            return null;
        }
        final Map<?, ?> members = object(parsed);
        final Map<String, String> custom = texts(members.get("custom"));
        final Map<String, String> environment = texts(members.get("env"));
        final Client client = client(texts(members.get("client")));
        return new ClientContext() {
            @Override
            public Client getClient() {
                return client;
            }

            @Override
            public Map<String, String> getCustom() {
                return custom;
            }

            @Override
            public Map<String, String> getEnvironment() {
                return environment;
            }
        };
    }

    private static Client client(final Map<String, String> members) {
        if (members == null) {
            return null;
        }
        return new Client() {
            @Override
            public String getInstallationId() {
                return members.get("installation_id");
            }

            @Override
            public String getAppTitle() {
                return members.get("app_title");
            }

            @Override
            public String getAppVersionName() {
                return members.get("app_version_name");
            }

            @Override
            public String getAppVersionCode() {
                return members.get("app_version_code");
            }

            @Override
            public String getAppPackageName() {
                return members.get("app_package_name");
            }
        };
    }

    private static Map<?, ?> object(Object value) {
        if (value instanceof Map) {
            return (Map<?, ?>) value;
        }
        throw new IllegalArgumentException("Expected a JSON object in the client context or Cognito identity");
    }

    /** An object's members as text; those that are objects or arrays can't be. */
    private static Map<String, String> texts(Object value) {
        if (value == null) {
            return null;
        }
        Map<String, String> found = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : object(value).entrySet()) {
            Object member = entry.getValue();
            if (member instanceof Map || member instanceof Iterable) {
                throw new IllegalArgumentException("Expected a string in the client context but was "
                        + (member instanceof Map ? "an object" : "an array") + " at " + entry.getKey());
            }
            found.put((String) entry.getKey(), member == null ? null : member.toString());
        }
        return found;
    }
}
