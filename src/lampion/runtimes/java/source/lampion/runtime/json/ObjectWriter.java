package lampion.runtime.json;

import java.io.File;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Calendar;
import java.util.Collection;
import java.util.Collections;
import java.util.Currency;
import java.util.Date;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TimeZone;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;

/** Objects of any class as JSON: Jackson's rules as AWS has set them. Members that are null are left out. */
final class ObjectWriter {
    private static final int NESTING_MAX = 1000;

    private final JsonWriter json = new JsonWriter(true);
    private final boolean datesAreSeconds;
    private int depth;

    ObjectWriter(boolean datesAreSeconds) {
        this.datesAreSeconds = datesAreSeconds;
    }

    /** A bean is written as the class that its handler declares, without what a subclass adds. */
    byte[] write(Object value, Class<?> declared) throws JsonError {
        if (value != null && isBean(declared) && declared.isInstance(value) && isBean(value.getClass())) {
            bean(value, declared);
        } else {
            value(value);
        }
        return json.toBytes();
    }

    private static boolean isBean(Class<?> type) {
        return type != Object.class
                && !type.isPrimitive()
                && !type.isArray()
                && !type.isEnum()
                && !Map.class.isAssignableFrom(type)
                && !Iterable.class.isAssignableFrom(type)
                && !Iterator.class.isAssignableFrom(type)
                && !Map.Entry.class.isAssignableFrom(type)
                && !Number.class.isAssignableFrom(type)
                && !CharSequence.class.isAssignableFrom(type)
                && (!type.getName().startsWith("java.") || Throwable.class.isAssignableFrom(type));
    }

    private void value(Object value) throws JsonError {
        if (value == null) {
            json.raw("null");
        } else if (value instanceof CharSequence) {
            json.string(value.toString());
        } else if (value instanceof Number) {
            number((Number) value);
        } else if (value instanceof Boolean || value instanceof AtomicBoolean) {
            json.raw(value.toString());
        } else if (value instanceof Character) {
            json.string(value.toString());
        } else if (value instanceof Enum) {
            json.string(((Enum<?>) value).name());
        } else {
            enter();
            structure(value);
            depth--;
        }
    }

    private void structure(Object value) throws JsonError {
        if (value instanceof Map) {
            map((Map<?, ?>) value);
        } else if (value instanceof Collection || value instanceof Iterable && !(value instanceof java.nio.file.Path)) {
            iterator(((Iterable<?>) value).iterator(), value);
        } else if (value instanceof Iterator) {
            iterator((Iterator<?>) value, value);
        } else if (value.getClass().isArray()) {
            array(value);
        } else if (value instanceof Map.Entry) {
            Map.Entry<?, ?> entry = (Map.Entry<?, ?>) value;
            map(Collections.singletonMap(entry.getKey(), entry.getValue()));
        } else if (!javaObject(value)) {
            bean(value, value.getClass());
        }
    }

    private void enter() throws JsonError {
        depth++;
        if (depth > NESTING_MAX) {
            throw new JsonError("Document nesting depth (" + depth + ") exceeds the maximum allowed (" + NESTING_MAX + ")");
        }
    }

    private void number(Number number) {
        boolean isFraction = number instanceof Double || number instanceof Float;
        if (isFraction && (Double.isNaN(number.doubleValue()) || Double.isInfinite(number.doubleValue()))) {
            json.string(number.toString());
        } else {
            json.raw(number.toString());
        }
    }

    private void map(Map<?, ?> map) throws JsonError {
        char separator = '{';
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            Object value = entry.getValue();
            if (value == null) {
                continue;
            }
            if (entry.getKey() == null) {
                throw new JsonError("Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)");
            }
            String name = key(entry.getKey());
            json.raw(separator);
            separator = ',';
            json.name(name);
            member(value, map, name);
        }
        json.raw(separator == '{' ? "{}" : "}");
    }

    private static String key(Object key) {
        if (key instanceof Enum) {
            return ((Enum<?>) key).name();
        }
        if (key instanceof Date) {
            return java.time.format.DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxxx")
                    .withZone(java.time.ZoneOffset.UTC)
                    .format(((Date) key).toInstant());
        }
        if (key instanceof Class) {
            return ((Class<?>) key).getName();
        }
        return key.toString();
    }

    private void member(Object value, Object container, Object name) throws JsonError {
        if (value == container) {
            throw new JsonError("Direct self-reference leading to cycle").in(container.getClass().getName(), name);
        }
        try {
            value(value);
        } catch (JsonError error) {
            throw error.in(container.getClass().getName(), name);
        }
    }

    private void iterator(Iterator<?> elements, Object container) throws JsonError {
        char separator = '[';
        int index = 0;
        while (elements.hasNext()) {
            json.raw(separator);
            separator = ',';
            member(elements.next(), container, index++);
        }
        json.raw(separator == '[' ? "[]" : "]");
    }

    private void array(Object array) throws JsonError {
        if (array instanceof byte[]) {
            json.string(Base64.getEncoder().encodeToString((byte[]) array));
        } else if (array instanceof char[]) {
            json.string(new String((char[]) array));
        } else {
            json.raw('[');
            for (int index = 0; index < Array.getLength(array); index++) {
                if (index > 0) {
                    json.raw(',');
                }
                member(Array.get(array, index), array, index);
            }
            json.raw(']');
        }
    }

    private void bean(Object value, Class<?> type) throws JsonError {
        char separator = '{';
        for (Map.Entry<String, Property> entry : Bean.of(type).getters.entrySet()) {
            Object member;
            try {
                member = entry.getValue().get(value);
            } catch (JsonError error) {
                throw error.in(type.getName(), entry.getKey());
            }
            if (member != null) {
                json.raw(separator);
                separator = ',';
                json.name(entry.getKey());
                member(member, value, entry.getKey());
            }
        }
        json.raw(separator == '{' ? "{}" : "}");
    }

    /** What is in an Optional or a reference; null for what has nothing in it. */
    private static Object present(Object value) {
        if (value instanceof Optional) {
            return ((Optional<?>) value).orElse(null);
        }
        if (value instanceof OptionalInt) {
            return ((OptionalInt) value).isPresent() ? (Object) ((OptionalInt) value).getAsInt() : null;
        }
        if (value instanceof OptionalLong) {
            return ((OptionalLong) value).isPresent() ? (Object) ((OptionalLong) value).getAsLong() : null;
        }
        if (value instanceof OptionalDouble) {
            return ((OptionalDouble) value).isPresent() ? (Object) ((OptionalDouble) value).getAsDouble() : null;
        }
        return value instanceof AtomicReference ? ((AtomicReference<?>) value).get() : value;
    }

    /** False for a bean: all but some of Java's own classes are. */
    private boolean javaObject(Object value) throws JsonError {
        if (value instanceof Date) {
            date(((Date) value).getTime());
        } else if (value instanceof Calendar) {
            date(((Calendar) value).getTimeInMillis());
        } else if (value.getClass().getName().startsWith("java.time.")) {
            value(JavaTimes.written(value));
        } else if (present(value) != value) {
            value(present(value));
        } else if (value instanceof ByteBuffer) {
            ByteBuffer bytes = ((ByteBuffer) value).slice();
            byte[] copied = new byte[bytes.remaining()];
            bytes.get(copied);
            array(copied);
        } else if (value instanceof File) {
            json.string(((File) value).getAbsolutePath());
        } else if (value instanceof Class) {
            json.string(((Class<?>) value).getName());
        } else if (value instanceof TimeZone) {
            json.string(((TimeZone) value).getID());
        } else if (isText(value)) {
            json.string(value.toString());
        } else {
            return false;
        }
        return true;
    }

    private static boolean isText(Object value) {
        return value instanceof UUID
                || value instanceof java.net.URI
                || value instanceof java.net.URL
                || value instanceof Locale
                || value instanceof Currency
                || value instanceof Pattern
                || value instanceof java.nio.charset.Charset
                || value instanceof java.nio.file.Path
                || value.getClass().getName().equals(Dates.JODA);
    }

    private void date(long milliseconds) {
        json.raw(datesAreSeconds ? Double.toString(milliseconds / 1000.0) : Long.toString(milliseconds));
    }
}
