package lampion.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** JSON to and from one type. */
interface Serializer {
    Object read(InputStream bytes) throws IOException;

    void write(Object value, OutputStream bytes) throws IOException;
}
