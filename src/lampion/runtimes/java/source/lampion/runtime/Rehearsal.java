package lampion.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Does once what every start does, so that a Java that is told to remember what was loaded (-XX:ArchiveClassesAtExit)
 * has it ready from then on.
 */
public final class Rehearsal {
    private static final String EVENT =
            "{\"name\":\"x\",\"count\":1,\"large\":1.5,\"tags\":[\"a\",null,true],\"inner\":{\"name\":\"y\"},\"more\":{\"a\":{}}}";

    /** What a handler may take and return. */
    public static final class Sample {
        private String name;
        private int count;
        private double large;
        private List<String> tags;
        private Sample inner;
        private Map<String, Object> more;

        public String getName() {
            return name;
        }

        public void setName(String value) {
            name = value;
        }

        public int getCount() {
            return count;
        }

        public void setCount(int value) {
            count = value;
        }

        public double getLarge() {
            return large;
        }

        public void setLarge(double value) {
            large = value;
        }

        public List<String> getTags() {
            return tags;
        }

        public void setTags(List<String> value) {
            tags = value;
        }

        public Sample getInner() {
            return inner;
        }

        public void setInner(Sample value) {
            inner = value;
        }

        public Map<String, Object> getMore() {
            return more;
        }

        public void setMore(Map<String, Object> value) {
            more = value;
        }
    }

    public Sample handleSample(Sample event, Context context) {
        return event;
    }

    public Object handleAny(Map<String, Object> event, Context context) {
        return event;
    }

    public void handleStreams(InputStream input, OutputStream output, Context context) {
        context.getRemainingTimeInMillis();
    }

    public String fail(String event) {
        throw new IllegalStateException("rehearsed");
    }

    public static void main(String[] arguments) throws Throwable {
        FunctionLogger.open();
        ClassLoader own = Rehearsal.class.getClassLoader();
        ClassLoader loader = FunctionClasses.loader("/var/task", "/opt", own);
        try (ServerSocket server = new ServerSocket(0)) {
            new RuntimeApi("127.0.0.1:" + server.getLocalPort());
        }
        Map<String, String> headers = new HashMap<>();
        headers.put("lambda-runtime-aws-request-id", "rehearsed");
        headers.put("lambda-runtime-deadline-ms", "1");
        Event event = new Event(headers, EVENT.getBytes(StandardCharsets.UTF_8));
        for (String method : new String[] {"handleSample", "handleAny", "handleStreams", "fail"}) {
            try {
                HandlerLoader.load(Rehearsal.class.getName() + "::" + method, loader).call(event);
            } catch (RuntimeException rehearsed) {
                Fault fault = Fault.of(rehearsed, false);
                ErrorReport.of(rehearsed);
                ErrorReport.traceOf(rehearsed);
                fault.report();
            }
        }
    }
}
