package lampion.runtime.json;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A class as an object of JSON: which members can be read, which can be set.
 *
 * <p>Jackson's rules as AWS has configured it: public getters and public fields are read; setters of any visibility and
 * public fields are set; names are JavaBeans names; members come in the order of the fields, then of the getters.
 */
final class Bean {
    private static final Map<Class<?>, Bean> KNOWN = new ConcurrentHashMap<>();

    /** By JSON name. */
    final Map<String, Property> getters = new LinkedHashMap<>();

    final Map<String, Property> setters = new HashMap<>();

    /** Null where there is no constructor without arguments. */
    final Constructor<?> constructor;

    private final Class<?> type;

    static Bean of(Class<?> type) {
        Bean known = KNOWN.get(type);
        if (known == null) {
            known = new Bean(type);
            KNOWN.put(type, known);
        }
        return known;
    }

    private Bean(Class<?> type) {
        this.type = type;
        this.constructor = constructor(type);
        Map<String, Candidate> candidates = new LinkedHashMap<>();
        List<Class<?>> lineage = lineage(type);
        for (int index = lineage.size() - 1; index >= 0; index--) {
            collectFields(lineage.get(index), candidates);
        }
        Set<String> seen = new HashSet<>();
        for (Class<?> one : lineage) {
            collectMethods(one, seen, candidates);
        }
        for (Map.Entry<String, Candidate> entry : candidates.entrySet()) {
            String name = EventNames.jsonName(type, entry.getKey());
            Candidate candidate = entry.getValue();
            if (candidate.getter != null || candidate.field != null) {
                getters.put(name, candidate.getter != null ? Property.getter(candidate.getter) : Property.of(candidate.field));
            }
            Method setter = candidate.setter();
            if (setter != null || candidate.field != null) {
                setters.put(name, setter != null ? Property.setter(setter) : Property.of(candidate.field));
            }
        }
    }

    /** The class, its superclasses and all interfaces, without Object. */
    private static List<Class<?>> lineage(Class<?> type) {
        List<Class<?>> found = new ArrayList<>();
        for (Class<?> one = type; one != null && one != Object.class; one = one.getSuperclass()) {
            found.add(one);
        }
        for (Class<?> one : new ArrayList<>(found)) {
            addInterfaces(one, found);
        }
        return found;
    }

    private static void addInterfaces(Class<?> type, List<Class<?>> found) {
        for (Class<?> one : type.getInterfaces()) {
            if (!found.contains(one)) {
                found.add(one);
                addInterfaces(one, found);
            }
        }
    }

    private static Constructor<?> constructor(Class<?> type) {
        if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
            return null;
        }
        try {
            Constructor<?> found = type.getDeclaredConstructor();
            found.setAccessible(true);
            return found;
        } catch (NoSuchMethodException absent) {
            return null;
        }
    }

    Object instance() throws JsonError {
        if (constructor == null) {
            throw new JsonError(uninstantiable());
        }
        try {
            return constructor.newInstance();
        } catch (java.lang.reflect.InvocationTargetException error) {
            if (error.getCause() instanceof Error) {
                throw (Error) error.getCause();
            }
            throw new JsonError("Cannot construct instance of `" + type.getName() + "`, problem: "
                    + error.getCause().getMessage(), error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new JsonError("Cannot construct instance of `" + type.getName() + "`: " + error.getMessage(), error);
        }
    }

    private String uninstantiable() {
        String start = "Cannot construct instance of `" + type.getName() + "`";
        if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
            return start + " (no Creators, like default constructor, exist): abstract types either need to be mapped to"
                    + " concrete types, have custom deserializer, or contain additional type information";
        }
        if (type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers())) {
            return start + ": non-static inner classes like this can only by instantiated using default, no-argument"
                    + " constructor";
        }
        return start + " (no Creators, like default constructor, exist): cannot deserialize from Object value (no"
                + " delegate- or property-based Creator)";
    }

    private static void collectFields(Class<?> type, Map<String, Candidate> candidates) {
        if (type.isInterface()) {
            return;
        }
        for (Field field : type.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (!Modifier.isStatic(modifiers) && !Modifier.isTransient(modifiers) && !field.isSynthetic()) {
                Candidate candidate = candidate(field.getName(), candidates);
                if (Modifier.isPublic(modifiers)) {
                    candidate.field = field;
                }
            }
        }
    }

    private static void collectMethods(Class<?> type, Set<String> seen, Map<String, Candidate> candidates) {
        boolean isRecord = Records.isRecord(type);
        for (Method method : type.getDeclaredMethods()) {
            if (Modifier.isStatic(method.getModifiers()) || method.isSynthetic() || method.isBridge()) {
                continue;
            }
            String name = method.getName();
            Class<?>[] parameters = method.getParameterTypes();
            if (parameters.length == 0 && Modifier.isPublic(method.getModifiers())) {
                String property = isRecord ? Records.component(type, name) : getterOf(method);
                if (property != null && seen.add(name)) {
                    Candidate candidate = candidate(property, candidates);
                    if (candidate.getter == null || candidate.getter.getName().startsWith("is")) {
                        candidate.getter = method;
                    }
                }
            } else if (parameters.length == 1 && name.startsWith("set") && name.length() > 3) {
                if (seen.add(name + ' ' + parameters[0].getName())) {
                    candidate(decapitalised(name.substring(3)), candidates).setters.add(method);
                }
            }
        }
    }

    private static Candidate candidate(String name, Map<String, Candidate> candidates) {
        Candidate found = candidates.get(name);
        if (found == null) {
            found = new Candidate();
            candidates.put(name, found);
        }
        return found;
    }

    /** The property that a method without parameters gets; null when it is no getter. */
    private static String getterOf(Method method) {
        String name = method.getName();
        Class<?> result = method.getReturnType();
        if (name.startsWith("get") && name.length() > 3) {
            boolean isMachinery = result.getName().startsWith("groovy.lang.") || result.getName().contains(".cglib");
            return result == Void.TYPE || isMachinery ? null : decapitalised(name.substring(3));
        }
        if (name.startsWith("is") && name.length() > 2 && (result == Boolean.TYPE || result == Boolean.class)) {
            return decapitalised(name.substring(2));
        }
        return null;
    }

    /** As java.beans does it: URL stays URL, Name becomes name. */
    static String decapitalised(String name) {
        char first = name.charAt(0);
        if (Character.toLowerCase(first) == first || name.length() > 1 && Character.isUpperCase(name.charAt(1))) {
            return name;
        }
        return Character.toLowerCase(first) + name.substring(1);
    }

    /** What was found under one name. */
    private static final class Candidate {
        private final List<Method> setters = new ArrayList<>(1);
        private Field field;
        private Method getter;

        /** Of several in one class, the one that takes a primitive, else a String, else what the getter returns. */
        Method setter() {
            Method best = null;
            for (Method setter : setters) {
                if (best == null
                        || setter.getDeclaringClass() == best.getDeclaringClass() && rank(setter) < rank(best)) {
                    best = setter;
                }
            }
            return best;
        }

        private int rank(Method setter) {
            Class<?> taken = setter.getParameterTypes()[0];
            if (taken.isPrimitive() || taken == String.class) {
                return taken.isPrimitive() ? 0 : 1;
            }
            return getter != null && getter.getReturnType() == taken ? 2 : 3;
        }
    }
}
