package lampion.runtime;

import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Type;
import java.util.Iterator;
import java.util.ServiceLoader;
import lampion.runtime.json.Mapper;

/** The function's own JSON mapper if it brings one, else this runtime's. */
final class Serializers {
    private static final String SERVICE = "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer";
    private static final int CHUNK_BYTES = 65536;

    private static boolean isLookedFor;
    private static CustomPojoSerializer custom;

    private Serializers() {}

    static Serializer of(Type type, ClassLoader loader) {
        CustomPojoSerializer own = custom(loader);
        return own == null ? mapped(Mapper.of(type)) : custom(own, type);
    }

    private static CustomPojoSerializer custom(ClassLoader loader) {
        if (!isLookedFor) {
            isLookedFor = true;
            if (loader.getResource(SERVICE) != null) {
                Iterator<CustomPojoSerializer> found = ServiceLoader.load(CustomPojoSerializer.class, loader).iterator();
                CustomPojoSerializer first = found.hasNext() ? found.next() : null;
                if (first != null && found.hasNext()) {
                    throw new IllegalStateException(
                            "Too many serializers provided inside the META-INF/services folder, only one is allowed");
                }
                custom = first;
            }
        }
        return custom;
    }

    private static Serializer custom(final CustomPojoSerializer own, final Type type) {
        return new Serializer() {
            @Override
            public Object read(InputStream bytes) {
                return own.fromJson(bytes, type);
            }

            @Override
            public void write(Object value, OutputStream bytes) {
                own.toJson(value, bytes, type);
            }
        };
    }

    private static Serializer mapped(final Mapper mapper) {
        return new Serializer() {
            @Override
            public Object read(InputStream bytes) throws IOException {
                return mapper.read(all(bytes));
            }

            @Override
            public void write(Object value, OutputStream bytes) throws IOException {
                bytes.write(mapper.write(value));
            }
        };
    }

    private static byte[] all(InputStream bytes) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(Math.max(32, bytes.available()));
        byte[] chunk = new byte[CHUNK_BYTES];
        for (int count = bytes.read(chunk); count >= 0; count = bytes.read(chunk)) {
            whole.write(chunk, 0, count);
        }
        return whole.toByteArray();
    }
}
