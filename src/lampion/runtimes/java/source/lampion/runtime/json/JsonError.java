package lampion.runtime.json;

import java.io.IOException;

/** JSON that can't be read, or doesn't fit the type that it is for, or an object that has no JSON. */
public final class JsonError extends IOException {
    private static final long serialVersionUID = 1L;

    private String chain = "";

    JsonError(String message) {
        super(message);
    }

    JsonError(String message, Throwable cause) {
        super(message, cause);
    }

    /** Tell where in the value this happened, from the inside to the outside. */
    JsonError in(String container, Object member) {
        String step = container + (member instanceof Integer ? "[" + member + "]" : "[\"" + member + "\"]");
        chain = chain.isEmpty() ? step : step + "->" + chain;
        return this;
    }

    @Override
    public String getMessage() {
        return chain.isEmpty() ? super.getMessage() : super.getMessage() + " (through reference chain: " + chain + ")";
    }
}
