package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

/** One method for each form that a handler may have. */
public class Signatures {
    public String doubled(String event) { return event + event; }
    public int next(int event, Context context) { return event + 1; }
    public static Integer same(Integer event) { return event; }
    public void onlyContext(Context context) { }
    public boolean nothing() { return true; }
    public List<Double> numbers(double[] event) { return Arrays.asList(event[0], event[1]); }
    public Thread.State constant(Thread.State event) { return event; }
    public void output(OutputStream out, Context context) throws IOException { out.write('7'); }
    public void input(InputStream in) throws IOException { }
    public String none(String event) { return null; }
    public String many(String event) { return "short"; }
    public String many(String event, Context context) { return "with context"; }
    public String many(String one, String two, String three, String four) { return "long"; }
}
