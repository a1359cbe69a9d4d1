package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** From a handler's name, `package.Class` or `package.Class::method`, to what is called. */
final class HandlerLoader {
    private final ClassLoader loader;

    private HandlerLoader(ClassLoader loader) {
        this.loader = loader;
    }

    /** What can't be called is a handler that fails. Throws a fatal Fault when the function's own code failed. */
    static Handler load(String name, ClassLoader loader) {
        int colons = name.lastIndexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        String method = colons < 0 ? null : name.substring(colons + 2);
        if (className.isEmpty() || (method != null && method.isEmpty())) {
            return failing(new Fault("Invalid handler: `" + name + "'"));
        }
        Class<?> type;
        try {
            type = Class.forName(className, true, loader);
        } catch (ClassNotFoundException error) {
            return failing(Fault.notFound(error, className));
        } catch (NoClassDefFoundError error) {
            Fault fault = Fault.loading(error, className, true);
            return failing(fault);
        } catch (Throwable thrown) {
            throw Fault.loading(thrown, className, true);
        }
        try {
            HandlerLoader handlers = new HandlerLoader(loader);
            return method == null ? handlers.ofClass(type) : handlers.ofMethod(type, method);
        } catch (Fault fault) {
            if (fault.isFatal) {
                throw fault;
            }
            return failing(fault);
        } catch (Throwable thrown) {
            return failing(Fault.of(thrown, false));
        }
    }

    private static Handler failing(final Fault fault) {
        return new Handler() {
            @Override
            public byte[] call(Event event) {
                throw fault;
            }
        };
    }

    // -- a class that implements an interface --

    private Handler ofClass(Class<?> type) throws Throwable {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            return new StreamHandler((RequestStreamHandler) instance(type), loader);
        }
        if (!RequestHandler.class.isAssignableFrom(type)) {
            throw new Fault("Class does not implement an appropriate handler interface: " + type.getName());
        }
        Type[] arguments = InterfaceArguments.find(type, RequestHandler.class);
        if (arguments == null) {
            throw new Fault("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters");
        }
        for (Type argument : arguments) {
            if (argument instanceof TypeVariable && !hasBound((TypeVariable<?>) argument)) {
                throw new Fault("Class " + type.getName() + " does not implement RequestHandler with concrete type"
                        + " parameters: parameter " + argument + " has no upper bound.");
            }
        }
        return new StreamHandler(
                new ObjectHandler((RequestHandler<?, ?>) instance(type), arguments[0], arguments[1], loader), loader);
    }

    private static boolean hasBound(TypeVariable<?> variable) {
        for (Type bound : variable.getBounds()) {
            if (!Object.class.equals(bound)) {
                return true;
            }
        }
        return false;
    }

    private static Object instance(Class<?> type) throws Throwable {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException error) {
            boolean isInner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            throw new Exception("Class " + type.getName() + (isInner
                    ? " cannot be instantiated because it is a non-static inner class"
                    : " has no public zero-argument constructor"), isInner ? null : error);
        }
        try {
            return constructor.newInstance();
        } catch (InvocationTargetException error) {
            throw Fault.of(error.getCause() == null ? error : error.getCause(), true);
        }
    }

    // -- a method by its name --

    /** Longer signatures first, and those that end with the context before others of their length. */
    private static final Comparator<Method> BEST_FIRST =
            new Comparator<Method>() {
                @Override
                public int compare(Method one, Method other) {
                    if (one.isBridge() != other.isBridge()) {
                        return one.isBridge() ? 1 : -1;
                    }
                    return Integer.compare(weight(other), weight(one));
                }

                private int weight(Method method) {
                    Class<?>[] parameters = method.getParameterTypes();
                    int count = parameters.length;
                    return count > 0 && parameters[count - 1] == Context.class ? count + 1 : count;
                }
            };

    private Handler ofMethod(Class<?> type, String name) throws Throwable {
        Method[] methods;
        try {
            methods = type.getMethods();
        } catch (NoClassDefFoundError error) {
            throw new Fault("Error loading method " + name + " on class " + type.getName(),
                    error.getClass().getName(), Fault.printed(error), false);
        }
        List<Method> overloads = new ArrayList<>();
        for (Method method : methods) {
            if (method.getName().equals(name)) {
                overloads.add(method);
            }
        }
        overloads.sort(BEST_FIRST);
        for (Method method : overloads) {
            Handler handler = ofOverload(type, method);
            if (handler != null) {
                return handler;
            }
        }
        throw new Fault("No public method named " + name + " with appropriate method signature found on class "
                + type.getName());
    }

    /** Null, and a line on standard error, for a signature that no handler has. */
    private Handler ofOverload(Class<?> type, Method method) throws Throwable {
        Type[] parameters = method.getGenericParameterTypes();
        switch (parameters.length) {
            case 0:
                return ofObjects(type, method, null, false);
            case 1:
                return ofOne(type, method, parameters[0]);
            case 2:
                return ofTwo(type, method, parameters[0], parameters[1]);
            case 3:
                if (isInput(parameters[0]) && isOutput(parameters[1]) && isContext(parameters[2])) {
                    return ofStreams(type, method, true, true, true);
                }
                return ignored("Ignoring three-argument overload because argument signature is not"
                        + " (InputStream, OutputStream, Context");
            default:
                return ignored("Ignoring an overload of method " + method.getName()
                        + " because it has too many parameters: Expected at most 3, got " + parameters.length);
        }
    }

    private Handler ofOne(Class<?> type, Method method, Type only) throws Throwable {
        if (isInput(only) || isOutput(only)) {
            return ofStreams(type, method, isInput(only), isOutput(only), false);
        }
        return isContext(only) ? ofObjects(type, method, null, true) : ofObjects(type, method, only, false);
    }

    private Handler ofTwo(Class<?> type, Method method, Type first, Type second) throws Throwable {
        String ignoring = "Ignoring two-argument overload because ";
        if (isOutput(first)) {
            return isContext(second)
                    ? ofStreams(type, method, false, true, true)
                    : ignored(ignoring + "first argument type is OutputStream and second argument type is not Context");
        }
        if (isContext(first)) {
            return ignored(ignoring + "first argument type is Context");
        }
        if (isInput(first)) {
            if (isOutput(second) || isContext(second)) {
                return ofStreams(type, method, true, isOutput(second), isContext(second));
            }
            return ignored(ignoring + "second parameter type, " + method.getParameterTypes()[1].getName()
                    + ", is not OutputStream.");
        }
        return isContext(second)
                ? ofObjects(type, method, first, true)
                : ignored(ignoring + "second parameter type is not Context");
    }

    private static Handler ignored(String why) {
        System.err.println(why);
        return null;
    }

    private Handler ofObjects(Class<?> type, Method method, Type input, boolean takesContext) throws Throwable {
        RequestHandler<?, ?> called = new CalledMethod(target(type, method), method, input != null, takesContext);
        return new StreamHandler(new ObjectHandler(called, input, method.getGenericReturnType(), loader), loader);
    }

    private Handler ofStreams(Class<?> type, Method method, boolean takesInput, boolean takesOutput, boolean takesContext)
            throws Throwable {
        if (method.getReturnType() != Void.TYPE && method.getReturnType() != Void.class) {
            System.err.println("Will ignore return type " + method.getReturnType() + " on byte stream handler");
        }
        return new StreamHandler(
                new CalledStreamMethod(target(type, method), method, takesInput, takesOutput, takesContext), loader);
    }

    private static Object target(Class<?> type, Method method) throws Throwable {
        return Modifier.isStatic(method.getModifiers()) ? null : instance(type);
    }

    private static boolean isInput(Type type) {
        return InputStream.class.equals(type);
    }

    private static boolean isOutput(Type type) {
        return OutputStream.class.equals(type);
    }

    private static boolean isContext(Type type) {
        return Context.class.equals(type);
    }
}
