package fn;

import com.amazonaws.services.lambda.runtime.Context;
import java.io.*;

/** Where one way of being called, or of failing, has to be told from another. */
public class Boundary {
    private static int calls;

    public static class Item {
        private String name;

        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
    }

    public abstract static class Taking<T> {
        public abstract String take(T one);
    }

    /** Has two methods of this name, of which the compiler made the one that takes any object. */
    public static class Bridged extends Taking<Item> {
        @Override
        public String take(Item one) { return one.getName(); }
    }

    public static class SecondMapper extends OwnMapper { }

    public void pick(InputStream input, OutputStream output) throws IOException {
        output.write("\"streams\"".getBytes("UTF-8"));
    }

    public String pick(String event, Context context) { return "context"; }

    /** The trace of the invocation, and whether the one before has left its thread interrupted. */
    public String around(String event) {
        boolean isInterrupted = Thread.currentThread().isInterrupted();
        Thread.currentThread().interrupt();
        return System.getProperty("com.amazonaws.xray.traceHeader") + " " + isInterrupted;
    }

    public int fail(String how) {
        calls++;
        if ("suppressed".equals(how)) {
            RuntimeException failure = new RuntimeException("failure");
            failure.addSuppressed(new RuntimeException("beside it"));
            throw failure;
        }
        if ("disk".equals(how)) {
            throw new IOError(new IOException("disk"));
        }
        if ("cycle".equals(how)) {
            RuntimeException first = new RuntimeException("first");
            first.initCause(new RuntimeException("second", first));
            throw first;
        }
        return calls;
    }
}
