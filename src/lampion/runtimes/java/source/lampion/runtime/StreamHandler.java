package lampion.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.LambdaRuntimeInternal;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.Method;

/** A handler of streams, with the context and the logger around it. */
final class StreamHandler implements Handler {
    private static final int EXPECTED_BYTES = 1024;

    private final RequestStreamHandler handler;
    private final ClassLoader loader;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream(EXPECTED_BYTES);

    StreamHandler(RequestStreamHandler handler, ClassLoader loader) {
        this.handler = handler;
        this.loader = loader;
    }

    @Override
    public byte[] call(Event event) throws Throwable {
        output.reset();
        InvocationContext context = new InvocationContext(event);
        LambdaLogger logger = LambdaRuntime.getLogger();
        if (logger instanceof FunctionLogger) {
            ((FunctionLogger) logger).attach(event);
        }
        if (LambdaRuntimeInternal.getUseLog4jAppender()) {
            tellLog4j(event.requestId);
        }
        handler.handleRequest(new ByteArrayInputStream(event.payload), output, context);
        return output.toByteArray();
    }

    private void tellLog4j(String requestId) {
        boolean first = put("org.apache.log4j.MDC", requestId, Object.class);
        boolean second = put("org.apache.logging.log4j.ThreadContext", requestId, String.class);
        if (!first && !second) {
            System.err.println("Customer using log4j appender but unable to load either org.apache.log4j.MDC or"
                    + " org.apache.logging.log4j.ThreadContext. Customer cannot see RequestId in log4j log lines.");
        }
    }

    private boolean put(String className, String requestId, Class<?> valueType) {
        try {
            Method put = Class.forName(className, true, loader).getMethod("put", String.class, valueType);
            put.invoke(null, "AWSRequestId", requestId);
            return true;
        } catch (ReflectiveOperationException | LinkageError absent) {
            return false;
        }
    }
}
