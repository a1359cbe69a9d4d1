package lampion.runtime;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lampion.runtime.json.JsonWriter;

/** Failures as the Runtime API wants them. */
final class ErrorReport {
    private static final int TRACE_BYTES_MAX = 8192; // a header line; X-Ray itself takes no more than 64 KB in all

    private ErrorReport() {}

    static byte[] of(Fault fault) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("errorMessage", fault.text);
        if (fault.type != null) {
            report.put("errorType", fault.type);
        }
        return bytes(report);
    }

    static byte[] of(Throwable thrown) {
        return bytes(described(thrown, Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>())));
    }

    private static Map<String, Object> described(Throwable thrown, Set<Throwable> seen) {
        seen.add(thrown);
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("errorMessage", Fault.messageOf(thrown));
        report.put("errorType", thrown.getClass().getName());
        List<Object> frames = new ArrayList<>();
        for (StackTraceElement frame : thrown.getStackTrace()) {
            frames.add(frame.toString());
        }
        report.put("stackTrace", frames);
        Throwable cause = thrown.getCause();
        if (cause != null && !seen.contains(cause)) {
            report.put("cause", described(cause, seen));
        }
        return report;
    }

    /** For X-Ray; null where it is too long for a header. */
    static String traceOf(Throwable thrown) {
        List<Object> stack = new ArrayList<>();
        Set<Object> paths = new LinkedHashSet<>();
        for (StackTraceElement frame : thrown.getStackTrace()) {
            Map<String, Object> element = new LinkedHashMap<>();
            element.put("label", frame.getMethodName());
            element.put("path", fileOf(frame));
            element.put("line", frame.getLineNumber());
            stack.add(element);
            paths.add(fileOf(frame));
        }
        Map<String, Object> exception = new LinkedHashMap<>();
        exception.put("message", thrown.getMessage());
        exception.put("type", thrown.getClass().getName());
        exception.put("stack", stack);
        Map<String, Object> cause = new LinkedHashMap<>();
        cause.put("working_directory", System.getProperty("user.dir"));
        cause.put("exceptions", Collections.singletonList(exception));
        cause.put("paths", new ArrayList<>(paths));
        byte[] text = bytes(cause);
        return text.length > TRACE_BYTES_MAX ? null : new String(text, StandardCharsets.UTF_8);
    }

    private static String fileOf(StackTraceElement frame) {
        String file = frame.getFileName();
        if (file != null) {
            return file;
        }
        String name = frame.getClassName();
        return name.substring(name.lastIndexOf('.') + 1) + ".java";
    }

    private static byte[] bytes(Map<String, Object> report) {
        JsonWriter writer = new JsonWriter();
        writer.write(report);
        return writer.toBytes();
    }
}
