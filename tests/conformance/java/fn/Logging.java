package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Logging {
    public void handle(Context context) {
        context.getLogger().log("unseen", LogLevel.INFO);
        context.getLogger().log("seen", LogLevel.WARN);
        LambdaRuntime.getLogger().log("without a level");
        throw new IllegalStateException("failed");
    }
}
