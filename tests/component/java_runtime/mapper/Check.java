import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.Map;

/**
 * Reads lines TYPE TAB JSON, and says of each what object the JSON is as that type and what JSON that object is: with
 * this runtime's mapper, or with a Jackson on the class path that is set up as AWS says it has set up its own.
 */
public class Check {
    interface Mapping {
        Object read(String json, Type type) throws Exception;

        String write(Object value, Type type) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Mapping mapping = arguments[0].equals("jackson") ? jackson() : new OwnMapping();
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", 2);
            out.println(printable(outcome(mapping, Shapes.type(parts[0]), parts[1])));
        }
    }

    private static Mapping jackson() throws ReflectiveOperationException {
        java.lang.reflect.Method make = Class.forName("JacksonMapping").getDeclaredMethod("make");
        make.setAccessible(true);
        return (Mapping) make.invoke(null);
    }

    private static String printable(String text) {
        StringBuilder printed = new StringBuilder();
        for (char one : text.toCharArray()) {
            printed.append(one >= ' ' && one < 127 ? String.valueOf(one) : String.format("{%04x}", (int) one));
        }
        return printed.toString();
    }

    private static String outcome(Mapping mapping, Type type, String json) {
        Object value;
        try {
            value = mapping.read(json, type);
        } catch (Exception error) {
            return "unreadable: " + firstLine(error);
        }
        try {
            return shown(value) + " => " + mapping.write(value, type);
        } catch (Exception error) {
            return shown(value) + " => unwritable: " + firstLine(error);
        }
    }

    /** Without the place, which only Jackson knows of every value. */
    private static String firstLine(Exception error) {
        Throwable shown = error instanceof java.io.UncheckedIOException ? error.getCause() : error;
        return String.valueOf(shown.getMessage()).split("\n")[0].replaceAll(" \\(through reference chain: .*", "");
    }

    private static String shown(Object value) throws RuntimeException {
        if (value == null) {
            return "null";
        }
        String kind = value.getClass().getSimpleName();
        StringBuilder text = new StringBuilder(kind);
        if (value instanceof Map) {
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                text.append(' ').append(shown(entry.getKey())).append('=').append(shown(entry.getValue()));
            }
        } else if (value instanceof Collection) {
            for (Object element : (Collection<?>) value) {
                text.append(' ').append(shown(element));
            }
        } else if (value.getClass().isArray()) {
            for (int index = 0; index < Array.getLength(value); index++) {
                text.append(' ').append(shown(Array.get(value, index)));
            }
        } else if (isShown(value)) {
            fields(value, value.getClass(), text);
        } else if (value instanceof java.util.Calendar) {
            text.append(' ').append(((java.util.Calendar) value).getTimeInMillis());
        } else {
            text.append(' ').append(value instanceof java.util.Date ? ((java.util.Date) value).getTime() : told(value));
        }
        return "(" + text + ")";
    }

    private static Object told(Object value) {
        return value.toString().contains("@") ? "" : value;
    }

    private static boolean isShown(Object value) {
        boolean isShape = value.getClass().getName().startsWith("Shapes$") && !(value instanceof Enum);
        return isShape && !(value instanceof Shapes.Written) && !(value instanceof Shapes.Cyclic);
    }

    private static void fields(Object value, Class<?> type, StringBuilder text) {
        for (Field field : type.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                try {
                    field.setAccessible(true);
                    Object found = field.get(value);
                    if (found != null) {
                        text.append(' ').append(field.getName()).append('=').append(shown(found));
                    }
                } catch (IllegalAccessException error) {
                    throw new IllegalStateException(error);
                }
            }
        }
        if (type.getSuperclass() != Object.class) {
            fields(value, type.getSuperclass(), text);
        }
    }

    static class OwnMapping implements Mapping {
        @Override
        public Object read(String json, Type type) throws Exception {
            return lampion.runtime.json.Mapper.of(type).read(json.getBytes("UTF-8"));
        }

        @Override
        public String write(Object value, Type type) throws Exception {
            return new String(lampion.runtime.json.Mapper.of(type).write(value), "UTF-8");
        }
    }
}
