package lampion.runtime.json;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Maps, lists, texts, numbers, Booleans and null to JSON text. What else there is, ObjectWriter brings down to these. */
public final class JsonWriter {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private final StringBuilder text = new StringBuilder(256);
    private final boolean escapesHalves;

    public JsonWriter() {
        this(false);
    }

    /** With `escapesHalves`, what takes two of Java's characters is written as two escapes, as Jackson does. */
    JsonWriter(boolean escapesHalves) {
        this.escapesHalves = escapesHalves;
    }

    public byte[] toBytes() {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Members that are null are left out. */
    public void write(Object value) {
        if (value == null) {
            raw("null");
        } else if (value instanceof Map) {
            String separator = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                if (entry.getValue() != null) {
                    raw(separator);
                    name(entry.getKey().toString());
                    write(entry.getValue());
                    separator = ",";
                }
            }
            raw(separator.equals("{") ? "{}" : "}");
        } else if (value instanceof Iterable) {
            String separator = "[";
            for (Object element : (Iterable<?>) value) {
                raw(separator);
                write(element);
                separator = ",";
            }
            raw(separator.equals("[") ? "[]" : "]");
        } else if (value instanceof Number || value instanceof Boolean) {
            raw(value.toString());
        } else {
            string(value.toString());
        }
    }

    void raw(String json) {
        text.append(json);
    }

    void raw(char json) {
        text.append(json);
    }

    void name(String name) {
        string(name);
        text.append(':');
    }

    void string(String value) {
        text.append('"');
        int length = value.length();
        for (int index = 0; index < length; index++) {
            char here = value.charAt(index);
            if (here < ' ' || here == '"' || here == '\\' || escapesHalves && Character.isSurrogate(here)) {
                escape(here);
            } else {
                text.append(here);
            }
        }
        text.append('"');
    }

    private void escape(char here) {
        text.append('\\');
        switch (here) {
            case '"':
            case '\\':
                text.append(here);
                break;
            case '\b':
                text.append('b');
                break;
            case '\t':
                text.append('t');
                break;
            case '\n':
                text.append('n');
                break;
            case '\f':
                text.append('f');
                break;
            case '\r':
                text.append('r');
                break;
            default:
                text.append('u').append(HEX[here >> 12]).append(HEX[here >> 8 & 15]);
                text.append(HEX[here >> 4 & 15]).append(HEX[here & 15]);
        }
    }
}
