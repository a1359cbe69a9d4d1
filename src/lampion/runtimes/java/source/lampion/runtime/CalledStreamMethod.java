package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/** A method that takes streams, as a handler. */
final class CalledStreamMethod implements RequestStreamHandler {
    private final Object target;
    private final Method method;
    private final boolean takesInput;
    private final boolean takesOutput;
    private final boolean takesContext;

    CalledStreamMethod(Object target, Method method, boolean takesInput, boolean takesOutput, boolean takesContext) {
        this.target = target;
        this.method = method;
        this.takesInput = takesInput;
        this.takesOutput = takesOutput;
        this.takesContext = takesContext;
    }

    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
        List<Object> arguments = new ArrayList<>(3);
        if (takesInput) {
            arguments.add(input);
        }
        if (takesOutput) {
            arguments.add(output);
        }
        if (takesContext) {
            arguments.add(context);
        }
        CalledMethod.invoke(method, target, arguments.toArray());
        if (!takesOutput) {
            output.write(ObjectHandler.NULL);
        }
    }
}
