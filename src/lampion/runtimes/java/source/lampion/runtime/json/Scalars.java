package lampion.runtime.json;

import java.io.File;
import java.math.BigInteger;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.Base64;
import java.util.Calendar;
import java.util.Currency;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;

/** Types that are one JSON value each: texts, numbers, truth, dates, and what is written as text. */
final class Scalars {
    /** For a type that isn't one of these. */
    static final Object NONE = new Object();

    private static final String UUID_FORM = "UUID has to be represented by standard 36-char representation";

    private static final Set<Class<?>> WRITTEN_AS_TEXT =
            new HashSet<Class<?>>(
                    Arrays.asList(
                            UUID.class, URI.class, URL.class, File.class, Locale.class, Currency.class, TimeZone.class,
                            Class.class, Pattern.class, Charset.class, StringBuilder.class, StringBuffer.class));

    private final boolean datesAreSeconds;

    Scalars(boolean datesAreSeconds) {
        this.datesAreSeconds = datesAreSeconds;
    }

    static JsonError mismatch(Object json, Class<?> type) {
        return mismatch(json, nameOf(type));
    }

    static JsonError mismatch(Object json, String type) {
        String token = token(json);
        String kind =
                token.startsWith("START_OBJECT") ? "Object value"
                        : token.startsWith("START_ARRAY") ? "Array value"
                        : token.equals("VALUE_NUMBER_INT") ? "Integer value"
                        : token.equals("VALUE_NUMBER_FLOAT") ? "Floating-point value"
                        : token.equals("VALUE_STRING") ? "String value"
                        : token.equals("VALUE_NULL") ? "Null value" : "Boolean value";
        return new JsonError("Cannot deserialize value of type `" + type + "` from " + kind + " (token `JsonToken."
                + token + "`)");
    }

    /** What a value begins with. */
    static String token(Object json) {
        if (json instanceof Map) {
            return "START_OBJECT";
        }
        if (json instanceof List) {
            return "START_ARRAY";
        }
        if (json instanceof JsonNumber) {
            return ((JsonNumber) json).isWhole ? "VALUE_NUMBER_INT" : "VALUE_NUMBER_FLOAT";
        }
        if (json instanceof Boolean) {
            return (Boolean) json ? "VALUE_TRUE" : "VALUE_FALSE";
        }
        return json == null ? "VALUE_NULL" : "VALUE_STRING";
    }

    static String nameOf(Class<?> type) {
        return type.isArray() ? nameOf(type.getComponentType()) + "[]" : type.getName();
    }

    static JsonError weird(String text, Class<?> type, String why) {
        return new JsonError("Cannot deserialize value of type `" + nameOf(type) + "` from String \"" + text + "\": " + why);
    }

    /** `json` is no array of one. NONE for a type that isn't for here; null for an empty text, mostly. */
    Object read(Object json, Class<?> type) throws JsonError {
        if (type == String.class || type == CharSequence.class) {
            return text(json, type);
        }
        Class<?> boxed = Numbers.boxed(type);
        if (Number.class.isAssignableFrom(boxed)) {
            return Numbers.read(json, type, boxed);
        }
        if (boxed == Boolean.class) {
            return truth(json, type);
        }
        if (boxed == Character.class) {
            return character(json, type);
        }
        if (type == AtomicBoolean.class) {
            Object value = truth(json, Boolean.class);
            return value == null ? null : new AtomicBoolean((Boolean) value);
        }
        if (type == byte[].class || type == ByteBuffer.class) {
            return bytes(json, type);
        }
        if (type == char[].class) {
            return characters(json);
        }
        if (Date.class.isAssignableFrom(type) || Calendar.class.isAssignableFrom(type)) {
            return Dates.read(json, type, datesAreSeconds);
        }
        if (type.getName().startsWith("java.time.")) {
            return JavaTimes.read(json, type);
        }
        if (type.getName().equals(Dates.JODA)) {
            return Dates.readJoda(text(json, type), type);
        }
        return WRITTEN_AS_TEXT.contains(type) ? written(json, type) : NONE;
    }

    private static String text(Object json, Class<?> type) throws JsonError {
        if (json instanceof Map || json instanceof List) {
            throw mismatch(json, type == CharSequence.class ? String.class : type);
        }
        return json.toString();
    }

    // -- truth, characters, bytes --

    private static Object truth(Object json, Class<?> type) throws JsonError {
        if (json instanceof Boolean) {
            return json;
        }
        if (json instanceof JsonNumber && ((JsonNumber) json).isWhole) {
            return !((JsonNumber) json).isZero();
        }
        if (!(json instanceof String)) {
            throw mismatch(json, type);
        }
        String text = ((String) json).trim();
        switch (text) {
            case "true":
            case "True":
            case "TRUE":
                return true;
            case "false":
            case "False":
            case "FALSE":
                return false;
            case "":
            case "null":
                return type.isPrimitive() ? (Object) false : null;
            default:
                throw weird(text, type, type.isPrimitive()
                        ? "only \"true\"/\"True\"/\"TRUE\" or \"false\"/\"False\"/\"FALSE\" recognized"
                        : "only \"true\" or \"false\" recognized");
        }
    }

    private static Object character(Object json, Class<?> type) throws JsonError {
        if (json instanceof JsonNumber && ((JsonNumber) json).isWhole) {
            int code = (Integer) Numbers.convert((JsonNumber) json, Integer.class, Integer.class);
            if (code < 0 || code > Character.MAX_VALUE) {
                throw new JsonError("Cannot deserialize value of type `" + nameOf(type) + "` from number " + code
                        + ": value outside valid Character range (0x0000 - 0xFFFF)");
            }
            return (char) code;
        }
        if (!(json instanceof String)) {
            throw mismatch(json, type);
        }
        String text = (String) json;
        if (text.length() == 1) {
            return text.charAt(0);
        }
        if (text.trim().isEmpty() || text.equals("null")) {
            return type.isPrimitive() ? (Object) '\0' : null;
        }
        throw weird(text, type, "Expected either Integer value code or 1-character String");
    }

    private static Object bytes(Object json, Class<?> type) throws JsonError {
        byte[] bytes;
        if (json instanceof String) {
            try {
                String text = ((String) json).replaceAll("\\s", "");
                if (text.length() % 4 != 0) {
                    throw new IllegalArgumentException("Unexpected end of base64-encoded String: base64 variant"
                            + " 'MIME-NO-LINEFEEDS' expects padding (one or more '=' characters) at the end");
                }
                bytes = Base64.getDecoder().decode(text);
            } catch (IllegalArgumentException error) {
                throw weird((String) json, type, "Failed to decode VALUE_STRING as base64 (MIME-NO-LINEFEEDS): "
                        + error.getMessage());
            }
        } else if (json instanceof List && type == byte[].class) {
            List<?> elements = (List<?>) json;
            bytes = new byte[elements.size()];
            for (int index = 0; index < bytes.length; index++) {
                Object element = elements.get(index);
                bytes[index] = element == null ? 0 : (Byte) Numbers.read(element, Byte.TYPE, Byte.class);
            }
        } else if (json instanceof JsonNumber && ((JsonNumber) json).isWhole && type == byte[].class) {
            bytes = new byte[] {(Byte) Numbers.read(json, Byte.TYPE, Byte.class)};
        } else {
            throw mismatch(json, type);
        }
        return type == byte[].class ? (Object) bytes : ByteBuffer.wrap(bytes);
    }

    private static char[] characters(Object json) throws JsonError {
        if (json instanceof List) {
            StringBuilder built = new StringBuilder();
            for (Object element : (List<?>) json) {
                if (element != null && !(element instanceof String)) {
                    throw mismatch(element, Character.TYPE);
                }
                String one = element == null ? "\0" : (String) element;
                if (one.length() != 1) {
                    throw new JsonError("Cannot convert a JSON String of length " + one.length()
                            + " into a char element of char array");
                }
                built.append(one);
            }
            return built.toString().toCharArray();
        }
        if (!(json instanceof String)) {
            throw mismatch(json, char[].class);
        }
        return ((String) json).toCharArray();
    }

    // -- constants, keys, and what is written as text --

    Object constant(Object json, Class<?> type) throws JsonError {
        Object[] constants = type.isEnum() ? type.getEnumConstants() : type.getSuperclass().getEnumConstants();
        if (json instanceof JsonNumber && ((JsonNumber) json).isWhole) {
            return ordinal(String.valueOf(Numbers.convert((JsonNumber) json, Integer.class, Integer.class)), constants);
        }
        if (!(json instanceof String)) {
            throw mismatch(json, type);
        }
        String text = (String) json;
        for (Object constant : constants) {
            if (((Enum<?>) constant).name().equals(text)) {
                return constant;
            }
        }
        String trimmed = text.trim();
        if (!trimmed.equals(text)) {
            return constant(trimmed, type);
        }
        boolean isNumber = !text.isEmpty() && Character.isDigit(text.charAt(0)) && (text.charAt(0) != '0' || text.length() == 1);
        return isNumber && text.matches("\\d{1,9}") ? ordinal(text, constants) : null;
    }

    private static Object ordinal(String text, Object[] constants) {
        BigInteger index = new BigInteger(text);
        boolean isOne = index.signum() >= 0 && index.compareTo(BigInteger.valueOf(constants.length)) < 0;
        return isOne ? constants[index.intValue()] : null;
    }

    Object key(String name, Class<?> type) throws JsonError {
        if (type == Object.class || type == String.class || type == CharSequence.class) {
            return name;
        }
        if (type.isEnum()) {
            return constant(name, type);
        }
        Object key;
        try {
            key = read(name, type);
        } catch (JsonError error) {
            throw badKey(name, type);
        }
        if (key == NONE || key == null) {
            throw badKey(name, type);
        }
        return key;
    }

    private static JsonError badKey(String name, Class<?> type) {
        boolean isNumber = type == Integer.class || type == Long.class;
        return new JsonError("Cannot deserialize Map key of type `" + nameOf(type) + "` from String \"" + name
                + "\": not a valid representation" + (isNumber ? ", problem: (java.lang.NumberFormatException) For input"
                + " string: \"" + name + "\"" : ""));
    }

    private static Object written(Object json, Class<?> type) throws JsonError {
        String text = text(json, type).trim();
        if (type == StringBuilder.class) {
            return new StringBuilder(text(json, type));
        }
        if (type == StringBuffer.class) {
            return new StringBuffer(text(json, type));
        }
        if (text.isEmpty()) {
            return type == URI.class ? URI.create("") : type == Locale.class ? Locale.ROOT : null;
        }
        try {
            return parsed(text, type);
        } catch (URISyntaxException | MalformedURLException | ClassNotFoundException | IllegalArgumentException error) {
            if (UUID_FORM.equals(error.getMessage())) {
                throw weird(text, type, UUID_FORM);
            }
            throw weird(text, type, "not a valid textual representation, problem: " + error.getMessage());
        }
    }

    private static Object parsed(String text, Class<?> type)
            throws URISyntaxException, MalformedURLException, ClassNotFoundException {
        if (type == UUID.class) {
            if (text.length() != 36) {
                throw new IllegalArgumentException(UUID_FORM);
            }
            return UUID.fromString(text);
        }
        if (type == URI.class) {
            return new URI(text);
        }
        if (type == URL.class) {
            return new URL(text);
        }
        if (type == File.class) {
            return new File(text);
        }
        if (type == Currency.class) {
            return Currency.getInstance(text);
        }
        if (type == TimeZone.class) {
            return TimeZone.getTimeZone(text);
        }
        if (type == Pattern.class) {
            return Pattern.compile(text);
        }
        if (type == Charset.class) {
            return Charset.forName(text);
        }
        if (type == Class.class) {
            return Class.forName(text, true, Thread.currentThread().getContextClassLoader());
        }
        String[] parts = text.split("[_-]", 3);
        return new Locale(parts[0], parts.length > 1 ? parts[1] : "", parts.length > 2 ? parts[2] : "");
    }
}
