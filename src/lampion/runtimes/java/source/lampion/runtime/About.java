package lampion.runtime;

import java.util.LinkedHashMap;
import java.util.Map;
import lampion.runtime.json.JsonWriter;

/** Tells what Java this is, for whoever looks for one: older ones say it on standard error, each in words of its own. */
public final class About {
    private About() {}

    public static void main(String[] arguments) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("version", System.getProperty("java.version"));
        told.put("home", System.getProperty("java.home"));
        told.put("machine", System.getProperty("java.vm.name"));
        JsonWriter writer = new JsonWriter();
        writer.write(told);
        System.out.write(writer.toBytes(), 0, writer.toBytes().length);
        System.out.flush();
    }
}
