package lampion.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import lampion.runtime.json.JsonWriter;

/** The function's logger: records with a level, in frames on the telemetry descriptor where there is one. */
final class FunctionLogger implements LambdaLogger {
    private static final int FRAME = 0xa55a0002; // with a timestamp
    private static final int TEXT_FRAME = 0x01;
    private static final int HEADER_BYTES = 16;

    private final LogLevel least;
    private final LogFormat format;
    private final FileOutputStream framed;
    private volatile Event event;

    private FunctionLogger(LogLevel least, LogFormat format, FileOutputStream framed) {
        this.least = least;
        this.format = format;
        this.framed = framed;
    }

    static FunctionLogger open() {
        String level = System.getenv("AWS_LAMBDA_LOG_LEVEL");
        String format = System.getenv("AWS_LAMBDA_LOG_FORMAT");
        return new FunctionLogger(
                level == null ? LogLevel.UNDEFINED : LogLevel.fromString(level),
                format == null ? LogFormat.TEXT : LogFormat.fromString(format),
                telemetry(System.getenv("_LAMBDA_TELEMETRY_LOG_FD")));
    }

    /** Null where there is no such descriptor. Java makes none of a number but by this constructor. */
    private static FileOutputStream telemetry(String number) {
        if (number == null) {
            return null;
        }
        try {
            Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(Integer.TYPE);
            constructor.setAccessible(true);
            return new FileOutputStream(constructor.newInstance(Integer.parseInt(number)));
        } catch (ReflectiveOperationException | RuntimeException error) {
            return null;
        }
    }

    LogFormat format() {
        return format;
    }

    /** Which invocation the records to come are of. */
    void attach(Event current) {
        event = current;
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel level) {
        if (isWanted(level)) {
            String record = format == LogFormat.JSON ? structured(message, level) : plain(message, level);
            write(record.getBytes(StandardCharsets.UTF_8), level);
        }
    }

    @Override
    public void log(byte[] message, LogLevel level) {
        if (isWanted(level)) {
            write(message == null ? "null".getBytes(StandardCharsets.UTF_8) : message, level);
        }
    }

    private boolean isWanted(LogLevel level) {
        return level == LogLevel.UNDEFINED || level.ordinal() >= least.ordinal();
    }

    private static String plain(String message, LogLevel level) {
        return level == LogLevel.UNDEFINED ? String.valueOf(message) : "[" + level + "] " + message;
    }

    private String structured(String message, LogLevel level) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("timestamp", Timestamps.now());
        record.put("message", message);
        record.put("level", level.name());
        Event current = event;
        if (current != null) {
            record.put("AWSRequestId", current.requestId);
            record.put("tenantId", current.header("lambda-runtime-aws-tenant-id"));
        }
        JsonWriter writer = new JsonWriter();
        writer.write(record);
        return new String(writer.toBytes(), StandardCharsets.UTF_8) + "\n";
    }

    private synchronized void write(byte[] message, LogLevel level) {
        try {
            if (framed == null) {
                System.out.write(message);
                return;
            }
            int kind = FRAME | (format == LogFormat.TEXT ? TEXT_FRAME : 0) | level.ordinal() << 2;
            Instant now = Instant.now();
            ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + message.length);
            frame.putInt(kind).putInt(message.length);
            frame.putLong(now.getEpochSecond() * 1_000_000 + now.getNano() / 1000).put(message);
            framed.write(frame.array());
        } catch (IOException error) {
            error.printStackTrace();
        }
    }

    /** Loaded only when records have timestamps. */
    private static final class Timestamps {
        private static final DateTimeFormatter FORMAT =
                DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

        static String now() {
            return FORMAT.format(Instant.now());
        }
    }
}
