package lampion.runtime;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** One invocation as the Runtime API hands it out. */
final class Event {
    final String requestId;
    final byte[] payload;
    private final Map<String, String> headers;

    Event(Map<String, String> headers, byte[] payload) {
        this.headers = headers;
        this.payload = payload;
        this.requestId = headers.get("lambda-runtime-aws-request-id");
    }

    /** Null when there is none; `name` in lower case. */
    String header(String name) {
        return headers.get(name);
    }

    /** A header that holds JSON: its bytes are UTF-8. Null when there is none or nothing in it. */
    String json(String name) {
        String text = headers.get(name);
        if (text == null || text.isEmpty()) {
            return null;
        }
        return new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    long deadlineMs() {
        String text = headers.get("lambda-runtime-deadline-ms");
        return text == null ? 0 : Long.parseLong(text);
    }

    boolean offersNext() {
        return headers.containsKey("lampion-runtime-next");
    }
}
