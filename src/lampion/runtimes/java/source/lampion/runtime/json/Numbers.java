package lampion.runtime.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Numbers of every size, from JSON's numbers and from texts that are numbers. */
final class Numbers {
    private static final int SCALE_MAX = 100_000;

    private static final Map<Class<?>, Class<?>> BOXES = new HashMap<>();

    static {
        BOXES.put(Integer.TYPE, Integer.class);
        BOXES.put(Long.TYPE, Long.class);
        BOXES.put(Short.TYPE, Short.class);
        BOXES.put(Byte.TYPE, Byte.class);
        BOXES.put(Double.TYPE, Double.class);
        BOXES.put(Float.TYPE, Float.class);
        BOXES.put(Boolean.TYPE, Boolean.class);
        BOXES.put(Character.TYPE, Character.class);
    }

    private Numbers() {}

    /** The class that a primitive's values have as objects; any other class itself. */
    static Class<?> boxed(Class<?> type) {
        Class<?> boxed = BOXES.get(type);
        return boxed == null ? type : boxed;
    }

    static Object read(Object json, Class<?> type, Class<?> boxed) throws JsonError {
        if (json instanceof JsonNumber) {
            return convert((JsonNumber) json, type, boxed);
        }
        if (!(json instanceof String)) {
            throw Scalars.mismatch(json, type);
        }
        String text = ((String) json).trim();
        if (text.isEmpty() || text.equals("null")) {
            return type.isPrimitive() ? convert(new JsonNumber("0", true), type, boxed) : null;
        }
        if (boxed == Number.class && !special(text).equals(text) || text.equals("NaN") && boxed == Number.class) {
            return Double.valueOf(special(text));
        }
        boolean isFraction = boxed == Double.class || boxed == Float.class;
        if (!isFraction || !type.isPrimitive()) {
            JsonNumber.checkLength(text.length());
        }
        try {
            if (isFraction) {
                return convert(new JsonNumber(special(text), false), type, boxed);
            }
            new BigDecimal(text);
            boolean isWhole = text.indexOf('.') < 0 && text.indexOf('e') < 0 && text.indexOf('E') < 0;
            if (!isWhole && boxed != BigDecimal.class && boxed != Number.class) {
                throw new NumberFormatException();
            }
            return convert(new JsonNumber(text.startsWith("+") ? text.substring(1) : text, isWhole), type, boxed);
        } catch (NumberFormatException error) {
            throw Scalars.weird(text, type, "not a valid " + expected(type, boxed));
        }
    }

    private static String expected(Class<?> type, Class<?> boxed) {
        if (type == Short.class) {
            return "Short value";
        }
        if (boxed == Double.class || boxed == Float.class) {
            String name = type.isPrimitive() ? type.getName() : type.getSimpleName();
            return "`" + name + "` value" + (type == Double.TYPE ? " (as String to convert)" : "");
        }
        if (boxed == BigDecimal.class || boxed == BigInteger.class) {
            return "representation";
        }
        return "`" + Scalars.nameOf(type) + "` value";
    }

    private static String special(String text) {
        switch (text) {
            case "INF":
            case "Infinity":
            case "+INF":
                return "Infinity";
            case "-INF":
                return "-Infinity";
            default:
                return text;
        }
    }

    static Object convert(JsonNumber number, Class<?> type, Class<?> boxed) throws JsonError {
        if (boxed == Double.class || boxed == Float.class) {
            String text = number.isWhole && number.isZero() ? "0" : number.text; // a whole zero has no sign
            return boxed == Double.class ? (Object) Double.valueOf(text) : Float.valueOf(text);
        }
        if (boxed == Number.class) {
            return number.natural();
        }
        try {
            if (boxed == BigDecimal.class) {
                return number.exact();
            }
            if (boxed == BigInteger.class) {
                return whole(number.exact());
            }
            BigInteger whole = number.isWhole ? new BigInteger(number.text) : truncated(number, boxed);
            if (boxed == Long.class || boxed == AtomicLong.class) {
                long value = inRange(whole, Long.MIN_VALUE, Long.MAX_VALUE, "long", number);
                return boxed == Long.class ? (Object) value : new AtomicLong(value);
            }
            if (boxed == Integer.class || boxed == AtomicInteger.class) {
                int value = (int) inRange(whole, Integer.MIN_VALUE, Integer.MAX_VALUE, "int", number);
                return boxed == Integer.class ? (Object) value : new AtomicInteger(value);
            }
            if (boxed == Short.class) {
                return (short) inRange(whole, Short.MIN_VALUE, Short.MAX_VALUE, "Java short", number);
            }
            if (boxed == Byte.class) {
                return (byte) inRange(whole, Byte.MIN_VALUE, 255, "Java byte", number);
            }
        } catch (NumberFormatException error) {
            throw Scalars.mismatch(number, type);
        }
        return Scalars.NONE;
    }

    /** Every digit of it is written out. */
    private static BigInteger whole(BigDecimal number) throws JsonError {
        if (Math.abs((long) number.scale()) > SCALE_MAX) {
            throw new JsonError("BigDecimal scale (" + number.scale() + ") magnitude exceeds the maximum allowed ("
                    + SCALE_MAX + ")");
        }
        return number.toBigInteger();
    }

    /** What is before the point, as far as a double is exact; 0 for NaN. */
    private static BigInteger truncated(JsonNumber number, Class<?> boxed) throws JsonError {
        boolean isLong = boxed == Long.class || boxed == AtomicLong.class;
        long least = isLong ? Long.MIN_VALUE : Integer.MIN_VALUE;
        long most = isLong ? Long.MAX_VALUE : Integer.MAX_VALUE;
        double value = Double.parseDouble(number.text);
        if (value < least || value > most) {
            throw outOfRange(number, least, most, isLong ? "long" : "int");
        }
        return BigInteger.valueOf((long) value);
    }

    private static long inRange(BigInteger value, long least, long most, String kind, JsonNumber number) throws JsonError {
        if (value.compareTo(BigInteger.valueOf(least)) < 0 || value.compareTo(BigInteger.valueOf(most)) > 0) {
            throw outOfRange(number, least, most, kind);
        }
        return value.longValue();
    }

    private static JsonError outOfRange(JsonNumber number, long least, long most, String kind) {
        String range = kind.startsWith("Java") ? kind : kind + " (" + least + " - " + most + ")";
        return new JsonError("Numeric value (" + number + ") out of range of " + range);
    }
}
