package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Failing {
    static class Broke extends RuntimeException {
        Broke(String message, Throwable cause) { super(message, cause); }
    }

    public static class Made {
        public Made(int number) { }

        public void handle() { }
    }

    /** Has no JSON. */
    public static class Sour {
        public String getIt() { throw new IllegalStateException("no"); }
    }

    public String handle(String event) throws IOException {
        if (event.isEmpty()) {
            throw new IOException();
        }
        throw new Broke("no " + event, new IllegalStateException("the reason"));
    }

    public Object sour() {
        return new Sour();
    }

    public String end(String event) {
        List<long[]> all = new ArrayList<>();
        if (event.equals("exit")) {
            System.exit(3);
        }
        while (event.equals("fill")) {
            all.add(new long[1000000]);
        }
        return event;
    }
}
