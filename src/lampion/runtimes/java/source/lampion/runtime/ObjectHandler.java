package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Type;

/** A handler of objects, with JSON around it. */
final class ObjectHandler implements RequestStreamHandler {
    static final byte[] NULL = {'n', 'u', 'l', 'l'};

    private final RequestHandler<Object, Object> handler;
    private final Serializer input;
    private final Serializer output;

    /** Null for `input` or a void `output`: none. */
    @SuppressWarnings("unchecked")
    ObjectHandler(RequestHandler<?, ?> handler, Type input, Type output, ClassLoader loader) {
        this.handler = (RequestHandler<Object, Object>) handler;
        this.input = input == null ? null : Serializers.of(input, loader);
        this.output = isVoid(output) ? null : Serializers.of(output, loader);
    }

    private static boolean isVoid(Type type) {
        return Void.TYPE.equals(type) || Void.class.equals(type);
    }

    @Override
    public void handleRequest(InputStream bytes, OutputStream answer, Context context) throws IOException {
        Object event = null;
        try {
            if (input != null) {
                event = input.read(bytes);
            }
        } catch (Throwable thrown) {
            throw new RuntimeException("An error occurred during JSON parsing", Fault.cutTrace(thrown));
        }
        Object result;
        try {
            result = handler.handleRequest(event, context);
        } catch (Throwable thrown) {
            throw Fault.sneak(Fault.cutTrace(thrown));
        }
        try {
            if (output == null) {
                answer.write(NULL);
            } else {
                output.write(result, answer);
            }
        } catch (Throwable thrown) {
            throw new RuntimeException("An error occurred during JSON serialization of response", thrown);
        }
    }
}
