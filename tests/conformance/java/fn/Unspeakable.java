package fn;

/** Fails with what can't even say what it is, while other threads of its are still there. */
public class Unspeakable {
    static class Odd extends RuntimeException {
        @Override
        public String getMessage() { throw new IllegalStateException("no message"); }
    }

    public String handle(String event) {
        new Thread(() -> {
            try {
                Thread.sleep(600_000);
            } catch (InterruptedException ended) {
                // so be it
            }
        }).start();
        throw new Odd();
    }
}
