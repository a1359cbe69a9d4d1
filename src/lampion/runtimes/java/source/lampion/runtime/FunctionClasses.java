package lampion.runtime;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Where a function's classes are: its code, then lib/*.jar of its code, then java/lib/*.jar of its layers. */
final class FunctionClasses {
    private FunctionClasses() {}

    static ClassLoader loader(String taskRoot, String layers, ClassLoader parent) {
        List<URL> places = new ArrayList<>();
        places.add(url(taskRoot + "/"));
        addJars(new File(taskRoot, "lib"), places);
        addJars(new File(layers, "java/lib"), places);
        return new URLClassLoader(places.toArray(new URL[0]), parent);
    }

    private static void addJars(File directory, List<URL> places) {
        String[] names = directory.list();
        if (names == null) {
            return;
        }
        Arrays.sort(names);
        for (String name : names) {
            if (name.endsWith(".jar")) {
                places.add(url(directory.getPath() + "/" + name));
            }
        }
    }

    private static URL url(String path) {
        try {
            return new URL("file", null, -1, path);
        } catch (MalformedURLException error) {
            throw new IllegalArgumentException(error);
        }
    }
}
