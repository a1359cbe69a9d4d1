package lampion.runtime.json;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text to maps, lists, texts, JsonNumbers, Booleans and null.
 *
 * <p>As lenient as AWS's reader: it takes single quotes, names without quotes, leading zeros, NaN, any character behind
 * a backslash and raw control characters, and doesn't look at what comes behind the value.
 */
public final class JsonReader {
    private static final int NESTING_MAX = 1000;

    private final String text;
    private int position;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /** The first value of the text; whole numbers and others are Java's own. Throws UncheckedIOException. */
    public static Object parse(String text) {
        try {
            return natural(read(text));
        } catch (JsonError error) {
            throw new UncheckedIOException(error);
        }
    }

    static Object read(byte[] bytes) throws JsonError {
        int start = bytes.length >= 3 && bytes[0] == (byte) 0xef && bytes[1] == (byte) 0xbb && bytes[2] == (byte) 0xbf ? 3 : 0;
        return read(new String(bytes, start, bytes.length - start, StandardCharsets.UTF_8));
    }

    static Object read(String text) throws JsonError {
        JsonReader reader = new JsonReader(text);
        reader.skipSpace();
        if (reader.position == text.length()) {
            throw new JsonError("No content to map due to end-of-input" + reader.place());
        }
        return reader.value();
    }

    /** With Java's own numbers in place of JsonNumbers. */
    static Object natural(Object value) {
        if (value instanceof JsonNumber) {
            return ((JsonNumber) value).natural();
        }
        if (value instanceof Map) {
            Map<Object, Object> found = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                found.put(entry.getKey(), natural(entry.getValue()));
            }
            return found;
        }
        if (value instanceof List) {
            List<Object> found = new ArrayList<>(((List<?>) value).size());
            for (Object element : (List<?>) value) {
                found.add(natural(element));
            }
            return found;
        }
        return value;
    }

    private Object value() throws JsonError {
        skipSpace();
        char first = next();
        switch (first) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
            case '\'':
                return string(first);
            default:
                position--;
                if (first == '-' || first >= '0' && first <= '9') {
                    return number();
                }
                return word();
        }
    }

    private Map<String, Object> object() throws JsonError {
        enter();
        Map<String, Object> members = new LinkedHashMap<>();
        skipSpace();
        if (peek() == '}') {
            position++;
        } else {
            char end = ',';
            while (end == ',') {
                skipSpace();
                String name = name();
                skipSpace();
                expect(':', "a colon to separate field name and value");
                members.put(name, value());
                skipSpace();
                end = next();
            }
            if (end != '}') {
                throw unexpected(end, "comma to separate Object entries");
            }
        }
        depth--;
        return members;
    }

    private String name() throws JsonError {
        char first = next();
        if (first == '"' || first == '\'') {
            return string(first);
        }
        if (!Character.isJavaIdentifierStart(first)) {
            throw unexpected(first, "either valid name character (for unquoted name) or double-quote (for quoted) to start field name");
        }
        int start = position - 1;
        while (position < text.length() && Character.isJavaIdentifierPart(text.charAt(position))) {
            position++;
        }
        return text.substring(start, position);
    }

    private List<Object> array() throws JsonError {
        enter();
        List<Object> elements = new ArrayList<>();
        skipSpace();
        if (peek() == ']') {
            position++;
        } else {
            char end = ',';
            while (end == ',') {
                elements.add(value());
                skipSpace();
                end = next();
            }
            if (end != ']') {
                throw unexpected(end, "comma to separate Array entries");
            }
        }
        depth--;
        return elements;
    }

    private String string(char quote) throws JsonError {
        int start = position;
        while (position < text.length()) {
            char here = text.charAt(position);
            if (here == quote) {
                return text.substring(start, position++);
            }
            if (here == '\\') {
                break;
            }
            position++;
        }
        StringBuilder built = new StringBuilder(text.substring(start, position));
        while (true) {
            char here = next();
            if (here == quote) {
                return built.toString();
            }
            built.append(here == '\\' ? escaped() : here);
        }
    }

    private char escaped() throws JsonError {
        char here = next();
        switch (here) {
            case 'b':
                return '\b';
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case 'u':
                return unicode();
            default:
                return here;
        }
    }

    private char unicode() throws JsonError {
        int code = 0;
        for (int count = 0; count < 4; count++) {
            char here = next();
            int digit = here < 128 ? Character.digit(here, 16) : -1;
            if (digit < 0) {
                throw unexpected(here, "a hex-digit for character escape sequence");
            }
            code = code << 4 | digit;
        }
        return (char) code;
    }

    private Object number() throws JsonError {
        int start = position;
        if (peek() == '-') {
            position++;
        }
        if (text.startsWith("Infinity", position) || text.startsWith("INF", position)) {
            position += text.startsWith("Infinity", position) ? 8 : 3;
            return new JsonNumber("-Infinity", false);
        }
        int length = digits();
        if (length == 0) {
            throw unexpected(next(), "digit (0-9) to follow minus sign, for valid numeric value");
        }
        boolean isWhole = true;
        if (peek() == '.') {
            isWhole = false;
            position++;
            int fraction = digits();
            length += fraction;
            if (fraction == 0) {
                throw new JsonError("Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a"
                        + " digit" + place());
            }
        }
        if (peek() == 'e' || peek() == 'E') {
            isWhole = false;
            position++;
            if (peek() == '+' || peek() == '-') {
                position++;
            }
            int exponent = digits();
            length += exponent;
            if (exponent == 0) {
                throw unexpected(next(), "digit (0-9) in the exponent");
            }
        }
        JsonNumber.checkLength(length);
        String written = text.substring(start, position);
        char after = peek();
        if (after != 0 && (Character.isJavaIdentifierPart(after) || after == '.')) {
            throw unexpected(after, "space, comma or the end behind the number " + written);
        }
        return new JsonNumber(isWhole ? withoutLeadingZeros(written) : written, isWhole);
    }

    private int digits() {
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        return position - start;
    }

    private static String withoutLeadingZeros(String written) {
        int sign = written.startsWith("-") ? 1 : 0;
        int index = sign;
        while (index < written.length() - 1 && written.charAt(index) == '0') {
            index++;
        }
        return index == sign ? written : written.substring(0, sign) + written.substring(index);
    }

    private Object word() throws JsonError {
        int start = position;
        while (position < text.length() && Character.isJavaIdentifierPart(text.charAt(position))) {
            position++;
        }
        String word = text.substring(start, position);
        switch (word) {
            case "null":
                return null;
            case "true":
                return Boolean.TRUE;
            case "false":
                return Boolean.FALSE;
            case "NaN":
                return new JsonNumber("NaN", false);
            case "INF":
            case "Infinity":
                return new JsonNumber("Infinity", false);
            case "":
                throw wrong(next(), "expected a valid value (JSON String, Number (or 'NaN'/'+INF'/'-INF'), Array, Object or"
                        + " token 'null', 'true' or 'false')");
            default:
                throw new JsonError("Unrecognized token '" + word + "': was expecting (JSON String, Number (or"
                        + " 'NaN'/'+INF'/'-INF'), Array, Object or token 'null', 'true' or 'false')" + place());
        }
    }

    private void enter() throws JsonError {
        depth++;
        if (depth > NESTING_MAX) {
            throw new JsonError("Document nesting depth (" + depth + ") exceeds the maximum allowed (" + NESTING_MAX
                    + ", from `StreamReadConstraints.getMaxNestingDepth()`)");
        }
    }

    private void skipSpace() {
        while (position < text.length() && text.charAt(position) <= ' ' && isSpace(text.charAt(position))) {
            position++;
        }
    }

    private static boolean isSpace(char here) {
        return here == ' ' || here == '\n' || here == '\r' || here == '\t';
    }

    /** 0 at the end. */
    private char peek() {
        return position < text.length() ? text.charAt(position) : 0;
    }

    private char next() throws JsonError {
        if (position == text.length()) {
            throw new JsonError("Unexpected end-of-input" + place());
        }
        return text.charAt(position++);
    }

    private void expect(char wanted, String what) throws JsonError {
        char here = next();
        if (here != wanted) {
            throw unexpected(here, what);
        }
    }

    private JsonError unexpected(char here, String wanted) {
        return wrong(here, "was expecting " + wanted);
    }

    private JsonError wrong(char here, String why) {
        return new JsonError("Unexpected character ('" + here + "' (code " + (int) here + ")): " + why + place());
    }

    private String place() {
        int line = 1;
        int start = 0;
        for (int index = 0; index < position; index++) {
            if (text.charAt(index) == '\n') {
                line++;
                start = index + 1;
            }
        }
        return "\n at [Source: (ByteArrayInputStream); line: " + line + ", column: " + (position - start) + "]";
    }
}
