package lampion.runtime;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The Runtime API (2018-06-01) over one keep-alive connection. */
final class RuntimeApi {
    /** The Runtime API is gone: so is the reason to go on. */
    static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** It didn't accept what was posted. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(String message, int status) {
            super(message + " Response code: '" + status + "'.");
        }
    }

    private static final String PREFIX = "/2018-06-01/runtime/";
    private static final int BUFFER_BYTES = 16384;

    private final String host;
    private final int port;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int position;
    private int limit;
    private Socket socket;
    private InputStream input;
    private OutputStream output;
    private int status;
    private Map<String, String> headers;

    RuntimeApi(String address) {
        int colon = address.lastIndexOf(':');
        host = address.substring(0, colon);
        port = Integer.parseInt(address.substring(colon + 1));
        connect();
    }

    /** Wait for the next invocation. */
    Event next() {
        if (status != 0 && limit == position && isClosedByServer()) {
            connect();
        }
        send(head("GET", "invocation/next", "", -1), null);
        return readEvent();
    }

    /** Post the answer and wait for the next invocation. */
    Event respond(Event event, byte[] answer) {
        return answer(event, "response", "", answer, true);
    }

    /** Post the failure and wait for the next invocation; null where it is the `last` one. */
    Event fail(Event event, byte[] report, String errorType, String xrayCause, boolean isLast) {
        String more = "Lambda-Runtime-Function-Error-Type: " + errorType + "\r\n";
        if (xrayCause != null) {
            more += "Lambda-Runtime-Function-XRay-Error-Cause: " + xrayCause + "\r\n";
        }
        return answer(event, "error", more, report, !isLast);
    }

    void failInit(byte[] report, String errorType) {
        String more = "Lambda-Runtime-Function-Error-Type: " + errorType + "\r\n";
        send(head("POST", "init/error", more, report.length), report);
        readAnswer();
        if (status != 202) {
            throw new Refused("Failed to report init error.", status);
        }
    }

    /**
     * Lampion's own server takes an answer as a request for the next event too, and says so with each event; it is also
     * told when this process will end instead, lest it sends another one meanwhile.
     */
    private Event answer(Event event, String kind, String more, byte[] body, boolean wantsNext) {
        boolean isOneRequest = wantsNext && event.offersNext();
        String all = "Content-Type: application/json\r\n" + more;
        if (event.offersNext()) {
            all += "Lampion-Runtime-Next: " + (wantsNext ? "true" : "never") + "\r\n";
        }
        String invocation = event.header("lambda-runtime-invocation-id");
        if (invocation != null && !isOneRequest) {
            all += "Lambda-Runtime-Invocation-Id: " + invocation + "\r\n";
        }
        send(head("POST", "invocation/" + event.requestId + "/" + kind, all, body.length), body);
        if (isOneRequest) {
            byte[] payload = readAnswer();
            if (status != 200) {
                throw new Refused("Failed to post invocation response.", status);
            }
            return new Event(headers, payload);
        }
        readAnswer();
        if (status / 100 != 2) {
            throw new Refused("Failed to post invocation response.", status);
        }
        return wantsNext ? next() : null;
    }

    private Event readEvent() {
        byte[] payload = readAnswer();
        if (status != 200) {
            throw new Refused("Failed to get next.", status);
        }
        return new Event(headers, payload);
    }

    private byte[] head(String method, String path, String more, int length) {
        StringBuilder text = new StringBuilder(256);
        text.append(method).append(' ').append(PREFIX).append(path).append(" HTTP/1.1\r\n");
        text.append("Host: ").append(host).append(':').append(port).append("\r\n").append(more);
        if (length >= 0) {
            text.append("Content-Length: ").append(length).append("\r\n");
        }
        return text.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    // -- the connection --

    private void connect() {
        try {
            socket = new Socket(InetAddress.getByName(host), port);
            socket.setTcpNoDelay(true);
            input = socket.getInputStream();
            output = socket.getOutputStream();
        } catch (IOException error) {
            throw new Ended();
        }
    }

    /** A server may close after each answer. */
    private boolean isClosedByServer() {
        try {
            if (input.available() > 0) {
                return false;
            }
            socket.setSoTimeout(1);
            try {
                int first = input.read();
                if (first < 0) {
                    socket.close();
                    return true;
                }
                buffer[0] = (byte) first;
                position = 0;
                limit = 1;
                return false;
            } catch (java.net.SocketTimeoutException quiet) {
                return false;
            } finally {
                if (!socket.isClosed()) {
                    socket.setSoTimeout(0);
                }
            }
        } catch (IOException error) {
            return true;
        }
    }

    private void send(byte[] head, byte[] body) {
        try {
            if (body == null || body.length == 0) {
                output.write(head);
            } else if (body.length <= BUFFER_BYTES) {
                byte[] both = new byte[head.length + body.length];
                System.arraycopy(head, 0, both, 0, head.length);
                System.arraycopy(body, 0, both, head.length, body.length);
                output.write(both);
            } else {
                output.write(head);
                output.write(body);
            }
        } catch (IOException error) {
            throw new Ended();
        }
    }

    /** Sets status and headers; the answer's body. */
    private byte[] readAnswer() {
        String first = line();
        status = Integer.parseInt(first.substring(9, 12)); // after "HTTP/1.1 "
        headers = new HashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
            return readChunks();
        }
        String length = headers.get("content-length");
        return take(length == null ? 0 : Integer.parseInt(length));
    }

    private byte[] readChunks() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        while (true) {
            int size = Integer.parseInt(line().split(";", 2)[0].trim(), 16);
            if (size == 0) {
                while (!line().isEmpty()) {
                    // trailers
                }
                return whole.toByteArray();
            }
            byte[] chunk = take(size);
            whole.write(chunk, 0, size);
            line();
        }
    }

    private byte[] take(int size) {
        byte[] taken = new byte[size];
        int count = Math.min(size, limit - position);
        System.arraycopy(buffer, position, taken, 0, count);
        position += count;
        try {
            while (count < size) {
                int more = input.read(taken, count, size - count);
                if (more < 0) {
                    throw new Ended();
                }
                count += more;
            }
        } catch (IOException error) {
            throw new Ended();
        }
        return taken;
    }

    /** Up to the next line break, without it: header bytes are Latin-1. */
    private String line() {
        StringBuilder text = new StringBuilder(64);
        while (true) {
            if (position == limit) {
                fill();
            }
            int start = position;
            while (position < limit && buffer[position] != '\n') {
                position++;
            }
            text.append(new String(buffer, start, position - start, StandardCharsets.ISO_8859_1));
            if (position < limit) {
                position++;
                int length = text.length();
                if (length > 0 && text.charAt(length - 1) == '\r') {
                    text.setLength(length - 1);
                }
                return text.toString();
            }
        }
    }

    private void fill() {
        try {
            position = 0;
            limit = 0;
            int count = input.read(buffer);
            if (count < 0) {
                throw new Ended();
            }
            limit = count;
        } catch (IOException error) {
            throw new Ended();
        }
    }
}
