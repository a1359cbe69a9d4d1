package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** A method that takes and returns objects, as a handler. */
final class CalledMethod implements RequestHandler<Object, Object> {
    private final Object target;
    private final Method method;
    private final boolean takesInput;
    private final boolean takesContext;

    CalledMethod(Object target, Method method, boolean takesInput, boolean takesContext) {
        this.target = target;
        this.method = method;
        this.takesInput = takesInput;
        this.takesContext = takesContext;
    }

    @Override
    public Object handleRequest(Object input, Context context) {
        Object[] arguments = new Object[(takesInput ? 1 : 0) + (takesContext ? 1 : 0)];
        if (takesInput) {
            arguments[0] = input;
        }
        if (takesContext) {
            arguments[arguments.length - 1] = context;
        }
        return invoke(method, target, arguments);
    }

    /** Throws what the method throws. */
    static Object invoke(Method method, Object target, Object[] arguments) {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException error) {
            throw Fault.sneak(Fault.cutTrace(error.getCause() == null ? error : error.getCause()));
        } catch (Throwable thrown) {
            throw Fault.sneak(Fault.cutTrace(thrown));
        }
    }
}
