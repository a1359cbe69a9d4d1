package lampion.runtime;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** A failure that is reported with a message and a type of its own rather than with its stack trace. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String RUNTIME_PACKAGE = "lampion.runtime.";

    final String text;
    final String type;
    final String trace;
    final boolean isFatal;

    Fault(String text, String type, String trace, boolean isFatal) {
        super(text);
        this.text = text;
        this.type = type;
        this.trace = trace;
        this.isFatal = isFatal;
    }

    Fault(String text) {
        this(text, null, null, false);
    }

    static Fault of(Throwable thrown, boolean isFatal) {
        return new Fault(messageOf(thrown), thrown.getClass().getName(), printed(thrown), isFatal);
    }

    static Fault loading(Throwable thrown, String className, boolean isFatal) {
        String reason = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
        return new Fault("Error loading class " + className + reason, thrown.getClass().getName(), printed(thrown), isFatal);
    }

    static Fault notFound(Throwable thrown, String className) {
        return new Fault("Class not found: " + className, thrown.getClass().getName(), printed(thrown), false);
    }

    static String messageOf(Throwable thrown) {
        String message = thrown.getLocalizedMessage();
        return message == null ? thrown.getClass().getName() : message;
    }

    /** As the log shows it. */
    String report() {
        if (type == null && trace == null) {
            return text + "\n";
        }
        return text + ": " + (type == null ? "" : type) + "\n" + (trace == null ? "" : trace) + "\n";
    }

    static String printed(Throwable thrown) {
        cutTrace(thrown);
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }

    /** Take this runtime's own frames, and all that called them, out of the stack traces. */
    static <T extends Throwable> T cutTrace(T thrown) {
        cutTrace(thrown, Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>()));
        return thrown;
    }

    private static void cutTrace(Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) {
            return;
        }
        StackTraceElement[] frames = thrown.getStackTrace();
        for (int index = 0; index < frames.length; index++) {
            if (frames[index].getClassName().startsWith(RUNTIME_PACKAGE)) {
                StackTraceElement[] kept = new StackTraceElement[index];
                System.arraycopy(frames, 0, kept, 0, index);
                thrown.setStackTrace(kept);
                break;
            }
        }
        cutTrace(thrown.getCause(), seen);
        for (Throwable suppressed : thrown.getSuppressed()) {
            cutTrace(suppressed, seen);
        }
    }

    /** Throws whatever is given, checked or not. */
    @SuppressWarnings("unchecked")
    static <T extends Throwable> RuntimeException sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }
}
