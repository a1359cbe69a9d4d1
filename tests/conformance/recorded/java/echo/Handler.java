package echo;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** Echoes, or fails, or tells what it finds around it: what its event and environment ask for. */
public class Handler implements RequestHandler<Object, Object> {
    @Override
    public Object handleRequest(Object event, Context context) {
        if (event instanceof Map && ((Map<?, ?>) event).containsKey("error_msg")) {
            throw new RuntimeException("Error: " + ((Map<?, ?>) event).get("error_msg"));
        }
        if (System.getenv("WRAPPED_BY") != null) {
            Map<String, String> told = new HashMap<>();
            told.put("WRAPPED_BY", System.getenv("WRAPPED_BY"));
            told.put("_HANDLER", System.getenv("_HANDLER"));
            return told;
        }
        return System.getenv("TEST_KEY") == null ? event : surroundings(context);
    }

    private static Map<String, Object> surroundings(Context context) {
        Map<String, Object> about = new HashMap<>();
        about.put("aws_request_id", context.getAwsRequestId());
        about.put("function_name", context.getFunctionName());
        about.put("function_version", context.getFunctionVersion());
        about.put("invoked_function_arn", context.getInvokedFunctionArn());
        about.put("log_group_name", context.getLogGroupName());
        about.put("log_stream_name", context.getLogStreamName());
        about.put("memory_limit_in_mb", String.valueOf(context.getMemoryLimitInMB()));
        about.put("remaining_time_in_millis", context.getRemainingTimeInMillis());
        Map<String, Object> told = new HashMap<>();
        told.put("ctx", about);
        told.put("environment", System.getenv());
        told.put("packages", Collections.emptyList()); // the recording shows none
        return told;
    }
}
