package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Surroundings {
    public Map<String, Object> told(Context context) {
        Map<String, Object> told = new HashMap<>();
        told.put("env", System.getenv());
        told.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
        told.put("directory", System.getProperty("user.dir"));
        told.put("java", System.getProperty("java.home"));
        told.put("heap", Runtime.getRuntime().maxMemory() >> 20);
        told.put("own", System.getProperty("mine"));
        told.put("collector", java.lang.management.ManagementFactory.getGarbageCollectorMXBeans().get(0).getName());
        told.put("options", java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        told.put("missing", java.security.Security.getProperty("networkaddress.cache.negative.ttl"));
        told.put("zone", TimeZone.getDefault().getID());
        return told;
    }

    public String wrapped() {
        return System.getProperty("wrapped") + System.getenv("BY");
    }

    /** What a jar of the code, one of a layer, and a file of the code say. */
    public String found() throws Exception {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        Object word = Class.forName("words.Word").newInstance();
        Object more = Class.forName("more.More", true, loader).newInstance();
        InputStream text = Surroundings.class.getResourceAsStream("/text.txt");
        return word.toString() + more + (char) text.read();
    }
}
