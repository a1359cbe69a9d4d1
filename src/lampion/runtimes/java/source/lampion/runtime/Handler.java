package lampion.runtime;

/** What an invocation is given to; everything a handler may be comes down to this. */
interface Handler {
    /** The answer's bytes. Throws whatever the function does, unchanged, or a Fault. */
    byte[] call(Event event) throws Throwable;
}
