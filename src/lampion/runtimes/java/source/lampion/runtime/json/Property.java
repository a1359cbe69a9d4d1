package lampion.runtime.json;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Type;

/** One way to or from a value of a bean: a method or a field. */
final class Property {
    final Type type;
    private final Method method;
    private final Field field;

    private Property(Type type, Method method, Field field) {
        this.type = type;
        this.method = method;
        this.field = field;
    }

    static Property getter(Method method) {
        method.setAccessible(true);
        return new Property(method.getGenericReturnType(), method, null);
    }

    static Property setter(Method method) {
        method.setAccessible(true);
        return new Property(method.getGenericParameterTypes()[0], method, null);
    }

    static Property of(Field field) {
        field.setAccessible(true);
        return new Property(field.getGenericType(), null, field);
    }

    Object get(Object bean) throws JsonError {
        try {
            return method == null ? field.get(bean) : method.invoke(bean);
        } catch (InvocationTargetException error) {
            throw failed(error.getCause());
        } catch (IllegalAccessException error) {
            throw failed(error);
        }
    }

    void set(Object bean, Object value) throws JsonError {
        try {
            if (method == null) {
                field.set(bean, value);
            } else {
                method.invoke(bean, value);
            }
        } catch (InvocationTargetException error) {
            throw failed(error.getCause());
        } catch (IllegalAccessException | IllegalArgumentException error) {
            throw failed(error);
        }
    }

    private JsonError failed(Throwable thrown) {
        if (thrown instanceof Error) {
            throw (Error) thrown;
        }
        String message = thrown.getMessage();
        Member member = method == null ? field : method;
        return new JsonError(message == null ? "(was " + thrown.getClass().getName() + ") " + member.getName() : message, thrown);
    }
}
