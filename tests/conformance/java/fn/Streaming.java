package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

/** What came, and what the context says. */
public class Streaming implements RequestStreamHandler {
    public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
        ClientContext client = context.getClientContext();
        PrintStream told = new PrintStream(output, false, "UTF-8");
        told.print("[");
        for (int read = input.read(); read >= 0; read = input.read()) {
            told.write(read);
        }
        told.printf(", \"%s\", %d, ", context.getFunctionName(), context.getMemoryLimitInMB());
        told.printf("\"%s%s%s\", ", client.getCustom().get("tenant"), client.getClient().getAppTitle(),
                client.getEnvironment().get("make"));
        told.printf("%d, ", context.getRemainingTimeInMillis());
        told.printf("\"%s%s\"]", context.getInvokedFunctionArn(), context.getIdentity());
        told.flush();
    }
}
