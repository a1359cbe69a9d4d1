package com.amazonaws.services.lambda.runtime;

import java.io.IOException;

/** The runtime that a function runs in. */
public final class LambdaRuntime {
    /** Replaced when the runtime starts; this one is for tests of functions, which start none. */
    private static volatile LambdaLogger logger =
            new LambdaLogger() {
                @Override
                public void log(String message) {
                    System.out.print(message);
                }

                @Override
                public void log(byte[] message) {
                    try {
                        System.out.write(message);
                    } catch (IOException error) {
                        error.printStackTrace();
                    }
                }
            };

    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return logger;
    }
}
