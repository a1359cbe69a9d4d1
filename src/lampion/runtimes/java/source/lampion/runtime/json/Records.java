package lampion.runtime.json;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;

/** Java's records, for which Java 8 has no words. */
final class Records {
    private static final Method IS_RECORD = method(Class.class, "isRecord");
    private static final Method COMPONENTS = method(Class.class, "getRecordComponents");

    final List<String> names = new ArrayList<>();
    final List<Type> types = new ArrayList<>();
    private final Constructor<?> constructor;

    Records(Class<?> type) throws JsonError {
        try {
            Object[] components = (Object[]) COMPONENTS.invoke(type);
            Class<?>[] parameters = new Class<?>[components.length];
            for (int index = 0; index < components.length; index++) {
                Class<?> kind = components[index].getClass();
                names.add((String) kind.getMethod("getName").invoke(components[index]));
                types.add((Type) kind.getMethod("getGenericType").invoke(components[index]));
                parameters[index] = (Class<?>) kind.getMethod("getType").invoke(components[index]);
            }
            constructor = type.getDeclaredConstructor(parameters);
            constructor.setAccessible(true);
        } catch (ReflectiveOperationException error) {
            throw new JsonError("Cannot construct instance of `" + type.getName() + "`: " + error.getMessage(), error);
        }
    }

    Object instance(Object[] values) throws JsonError {
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException error) {
            if (error.getCause() instanceof Error) {
                throw (Error) error.getCause();
            }
            throw new JsonError("Cannot construct instance of `" + constructor.getDeclaringClass().getName()
                    + "`, problem: " + error.getCause().getMessage(), error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new JsonError(error.getMessage(), error);
        }
    }

    static boolean isRecord(Class<?> type) {
        try {
            return IS_RECORD != null && (Boolean) IS_RECORD.invoke(type);
        } catch (ReflectiveOperationException error) {
            return false;
        }
    }

    /** The component that a record's method gets; null for any other method. */
    static String component(Class<?> type, String method) {
        try {
            return new Records(type).names.contains(method) ? method : null;
        } catch (JsonError error) {
            return null;
        }
    }

    private static Method method(Class<?> type, String name) {
        try {
            return type.getMethod(name);
        } catch (NoSuchMethodException absent) {
            return null;
        }
    }
}
