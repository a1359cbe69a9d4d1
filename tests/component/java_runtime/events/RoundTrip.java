import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import lampion.runtime.json.Mapper;

/** Reads lines CLASS TAB JSON and writes each event as it is once it was an object of that class. */
public class RoundTrip {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", 2);
            Mapper mapper = Mapper.of(Class.forName("com.amazonaws.services.lambda.runtime.events." + parts[0]));
            out.println(new String(mapper.write(mapper.read(parts[1].getBytes("UTF-8"))), "UTF-8"));
        }
    }
}
