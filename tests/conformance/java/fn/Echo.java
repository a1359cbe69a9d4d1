package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Echo {
    public Map<String, Object> heard(Map<String, Object> event, Context context) {
        System.out.println("printed é");
        System.err.print("to the error stream\n");
        context.getLogger().log("logged\nin two lines\n");
        return Collections.singletonMap("heard", event);
    }

    public String text(String event) {
        return event.equals("too long") ? new String(new char[7000000]) : event;
    }

    public int five() {
        return 5;
    }
}
