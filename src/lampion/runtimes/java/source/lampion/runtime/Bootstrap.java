package lampion.runtime;

import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.security.Security;

/**
 * The Java runtime: loads the handler, then answers one invocation after another over the Runtime API.
 *
 * <p>Its argument is the directory of the function's layers; all else is in its environment. It behaves as AWS's own runtime client does, down to texts and stack traces, and needs nothing but a Java 8.
 */
public final class Bootstrap {
    private static final String TRACE_PROPERTY = "com.amazonaws.xray.traceHeader";
    private static final String BAD_CODE = "Runtime.BadFunctionCode";
    private static final String USER_EXCEPTION = "Runtime.UserException";

    private final FunctionLogger logger;
    private final RuntimeApi api;

    private Bootstrap(FunctionLogger logger, RuntimeApi api) {
        this.logger = logger;
        this.api = api;
    }

    public static void main(String[] arguments) throws Throwable {
        System.setOut(unbuffered(FileDescriptor.out));
        System.setErr(unbuffered(FileDescriptor.err));
        FunctionLogger logger = FunctionLogger.open();
        install(logger);
        rememberMissingNames();
        RuntimeApi api = new RuntimeApi(System.getenv("AWS_LAMBDA_RUNTIME_API"));
        try {
            Bootstrap bootstrap = new Bootstrap(logger, api);
            String handler = System.getenv("_HANDLER");
            bootstrap.serve(bootstrap.load(handler == null ? "" : handler, arguments.length == 0 ? "/opt" : arguments[0]));
        } catch (RuntimeApi.Ended ended) {
            System.exit(0);
        } catch (Throwable thrown) { // of this runtime, or an exception of the function's that can't even be told
            endWith(thrown);
        }
    }

    /** As Java ends when its main thread fails, but whatever other threads there are. */
    private static void endWith(Throwable thrown) {
        try {
            System.err.print("Exception in thread \"main\" ");
            thrown.printStackTrace();
        } finally {
            System.exit(1);
        }
    }

    /** The file lib/security.properties has AWS's usual value; to load what sets another takes 13 ms. */
    private static void rememberMissingNames() {
        String seconds = System.getenv("AWS_LAMBDA_JAVA_NETWORKADDRESS_CACHE_NEGATIVE_TTL");
        if (seconds != null) {
            Security.setProperty("networkaddress.cache.negative.ttl", seconds);
        }
    }

    /** Every print is one write, so that lines are logged when they are printed, and in order with the logger's. */
    private static PrintStream unbuffered(FileDescriptor descriptor) throws IOException {
        final FileOutputStream file = new FileOutputStream(descriptor);
        OutputStream plain =
                new OutputStream() {
                    @Override
                    public void write(int oneByte) throws IOException {
                        file.write(oneByte);
                    }

                    @Override
                    public void write(byte[] bytes, int offset, int length) throws IOException {
                        file.write(bytes, offset, length);
                    }
                };
        return new PrintStream(plain, false, "UTF-8");
    }

    private static void install(FunctionLogger logger) throws ReflectiveOperationException {
        Field field = LambdaRuntime.class.getDeclaredField("logger");
        field.setAccessible(true);
        field.set(null, logger);
    }

    private Handler load(String name, String layers) {
        String task = System.getProperty("user.dir");
        ClassLoader loader = FunctionClasses.loader(task, layers, ClassLoader.getSystemClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        try {
            return HandlerLoader.load(name, loader);
        } catch (Fault fault) {
            log(fault);
            api.failInit(ErrorReport.of(fault), BAD_CODE);
            System.exit(1);
            throw fault;
        }
    }

    private void serve(Handler handler) throws Throwable {
        Event event = api.next();
        while (true) {
            tellTrace(event);
            boolean isFatal;
            try {
                byte[] answer = handler.call(event);
                Thread.interrupted(); // whatever the function left behind
                event = api.respond(event, answer);
                continue;
            } catch (RuntimeApi.Ended ended) {
                throw ended;
            } catch (Fault fault) {
                isFatal = fault.isFatal;
                Fault.cutTrace(fault);
                log(fault);
                event = api.fail(event, ErrorReport.of(fault), BAD_CODE, null, isFatal);
            } catch (Throwable thrown) {
                isFatal = thrown instanceof VirtualMachineError || thrown instanceof IOError;
                Fault.cutTrace(thrown);
                log(Fault.of(thrown, false));
                event =
                        api.fail(
                                event,
                                ErrorReport.of(thrown),
                                USER_EXCEPTION,
                                ErrorReport.traceOf(thrown),
                                isFatal);
            }
            if (isFatal) {
                Runtime.getRuntime().halt(0); // at once, whatever the function has left: nothing more may be asked of it
            }
        }
    }

    private static void tellTrace(Event event) {
        String trace = event.header("lambda-runtime-trace-id");
        if (trace == null) {
            System.clearProperty(TRACE_PROPERTY);
        } else {
            System.setProperty(TRACE_PROPERTY, trace);
        }
    }

    private void log(Fault fault) {
        logger.log(fault.report(), logger.format() == LogFormat.JSON ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }
}
