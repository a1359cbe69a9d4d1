package lampion.runtime.json;

import java.lang.reflect.Array;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.AbstractCollection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What JsonReader has read, as objects of the types that a function asks for: Jackson's rules as AWS has set them. */
final class ObjectReader {
    private final Scalars scalars;

    /** Within AWS's events, dates are seconds. */
    ObjectReader(boolean isEvent) {
        this.scalars = new Scalars(isEvent);
    }

    Object read(Object json, Type type) throws JsonError {
        Class<?> raw = Types.raw(type);
        if (raw == Object.class) {
            return JsonReader.natural(json);
        }
        if (raw == Optional.class) {
            return Optional.ofNullable(json == null ? null : read(json, Types.argument(type, Optional.class, 0)));
        }
        if (json == null || raw == Void.class || raw == Void.TYPE) {
            return ofNull(raw);
        }
        if (raw.isArray() && raw != byte[].class && raw != char[].class) {
            return array(json, Types.component(type), raw);
        }
        if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) {
            return collection(json, type, raw);
        }
        if (Map.class.isAssignableFrom(raw)) {
            return map(json, type, raw);
        }
        if (raw == Map.Entry.class) {
            return entry(json, type, raw);
        }
        Object unwrapped = unwrap(json, raw);
        if (unwrapped == null) {
            return ofNull(raw);
        }
        if (raw.isEnum() || Enum.class.isAssignableFrom(raw)) {
            return scalars.constant(unwrapped, raw);
        }
        if (raw == OptionalInt.class || raw == OptionalLong.class || raw == OptionalDouble.class) {
            return optional(unwrapped, raw);
        }
        Object scalar = scalars.read(unwrapped, raw);
        return scalar == Scalars.NONE ? bean(unwrapped, type, raw) : scalar;
    }

    private static Object ofNull(Class<?> raw) {
        if (raw.isPrimitive() && raw != Void.TYPE) {
            return Array.get(Array.newInstance(raw, 1), 0);
        }
        if (raw == OptionalInt.class) {
            return OptionalInt.empty();
        }
        if (raw == OptionalLong.class) {
            return OptionalLong.empty();
        }
        return raw == OptionalDouble.class ? OptionalDouble.empty() : null;
    }

    private Object optional(Object json, Class<?> raw) throws JsonError {
        if (isBlank(json)) {
            return ofNull(raw);
        }
        if (raw == OptionalInt.class) {
            return OptionalInt.of((Integer) read(json, Integer.TYPE));
        }
        if (raw == OptionalLong.class) {
            return OptionalLong.of((Long) read(json, Long.TYPE));
        }
        return OptionalDouble.of((Double) read(json, Double.TYPE));
    }

    /** An array of one stands for that one; an empty array for null. */
    private static Object unwrap(Object json, Class<?> raw) throws JsonError {
        if (!(json instanceof List) || raw == byte[].class || raw == char[].class || isDate(raw)) {
            return json;
        }
        List<?> elements = (List<?>) json;
        if (elements.isEmpty()) {
            if (raw.isPrimitive() && raw != Character.TYPE) {
                throw new JsonError("Cannot deserialize value of type `" + raw + "` from Array value (token"
                        + " `JsonToken.END_ARRAY`)");
            }
            return null;
        }
        if (elements.size() > 1) {
            throw new JsonError("Unexpected token (" + Scalars.token(elements.get(1)) + "), expected END_ARRAY: Attempted to"
                    + " unwrap '" + Scalars.nameOf(raw) + "' value from an array (with"
                    + " `DeserializationFeature.UNWRAP_SINGLE_VALUE_ARRAYS`) but it contains more than one value");
        }
        Object only = elements.get(0);
        if (only instanceof List || only == null && !mayBeNull(raw)) {
            throw Scalars.mismatch(only == null ? null : json, raw);
        }
        return only;
    }

    /** Of what an array of one stands for. */
    private static boolean mayBeNull(Class<?> raw) {
        return raw.isPrimitive()
                || raw == Integer.class
                || raw == Long.class
                || raw == Short.class
                || raw == Byte.class
                || raw == Double.class
                || raw == Float.class
                || raw == Boolean.class
                || raw == Character.class
                || raw == AtomicInteger.class
                || raw == AtomicLong.class
                || raw == OptionalInt.class
                || raw == OptionalLong.class
                || raw == OptionalDouble.class
                || java.util.Date.class.isAssignableFrom(raw)
                || java.util.Calendar.class.isAssignableFrom(raw);
    }

    private static boolean isBlank(Object json) {
        return json instanceof String && ((String) json).trim().isEmpty();
    }

    private static boolean isDate(Class<?> raw) {
        return raw.getName().startsWith("java.time.");
    }

    /** A single value stands for an array of it. */
    private static List<?> elements(Object json) {
        return json instanceof List ? (List<?>) json : Collections.singletonList(json);
    }

    private Object array(Object json, Type component, Class<?> raw) throws JsonError {
        if (isBlank(json)) {
            return null;
        }
        if (json instanceof String && raw.getComponentType().isPrimitive()) {
            throw new JsonError("Cannot construct instance of `" + Scalars.nameOf(raw) + "`: no String-argument"
                    + " constructor/factory method to deserialize from String value ('" + json + "')");
        }
        List<?> elements = elements(json);
        checkTexts(elements, component, "java.lang.Object[]");
        Object made = Array.newInstance(raw.getComponentType(), elements.size());
        for (int index = 0; index < elements.size(); index++) {
            Array.set(made, index, element(elements.get(index), component, raw, index));
        }
        return made;
    }

    /** An array of one doesn't stand for its text where there are many. */
    private static void checkTexts(List<?> elements, Type type, String container) throws JsonError {
        if (type == String.class) {
            for (int index = 0; index < elements.size(); index++) {
                if (elements.get(index) instanceof List) {
                    throw Scalars.mismatch(elements.get(index), String.class).in(container, index);
                }
            }
        }
    }

    private Object element(Object json, Type type, Class<?> container, int index) throws JsonError {
        try {
            return read(json, type);
        } catch (JsonError error) {
            throw error.in(container.isArray() ? "java.lang.Object[]" : container.getName(), index);
        }
    }

    private Object collection(Object json, Type type, Class<?> raw) throws JsonError {
        if (isBlank(json)) {
            return null;
        }
        Type element = Types.argument(type, raw == Iterable.class ? Iterable.class : Collection.class, 0);
        Collection<Object> made = newCollection(raw, element);
        int index = 0;
        checkTexts(elements(json), element, made.getClass().getName());
        for (Object one : elements(json)) {
            made.add(element(one, element, made.getClass(), index++));
        }
        return made;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Collection<Object> newCollection(Class<?> raw, Type element) throws JsonError {
        if (raw == java.util.EnumSet.class) {
            return (Collection) java.util.EnumSet.noneOf((Class) Types.raw(element));
        }
        if (!raw.isInterface() && !Modifier.isAbstract(raw.getModifiers())) {
            return (Collection<Object>) Bean.of(raw).instance();
        }
        if (raw == Set.class) {
            return new HashSet<>();
        }
        if (SortedSet.class.isAssignableFrom(raw)) {
            return new TreeSet<>();
        }
        if (Queue.class.isAssignableFrom(raw)) {
            return raw.isAssignableFrom(LinkedList.class) ? new LinkedList<>() : new ArrayDeque<>();
        }
        if (raw.isAssignableFrom(ArrayList.class) || raw == AbstractCollection.class) {
            return new ArrayList<>();
        }
        return (Collection<Object>) Bean.of(raw).instance();
    }

    private Object map(Object json, Type type, Class<?> raw) throws JsonError {
        Object unwrapped = unwrap(json, raw);
        if (unwrapped == null || isBlank(unwrapped)) {
            return null;
        }
        Type key = Types.argument(type, Map.class, 0);
        Type value = Types.argument(type, Map.class, 1);
        Map<Object, Object> made = newMap(raw, key);
        if (!(unwrapped instanceof Map) && !(unwrapped instanceof String)) {
            throw Scalars.mismatch(unwrapped, made.getClass().getName() + "<" + Types.nameOf(key) + "," + Types.nameOf(value) + ">");
        }
        for (Map.Entry<?, ?> entry : members(unwrapped, made.getClass(), true).entrySet()) {
            try {
                Object name = scalars.key((String) entry.getKey(), Types.raw(key));
                if (name != null || !(made instanceof EnumMap)) {
                    made.put(name, read(entry.getValue(), value));
                }
            } catch (JsonError error) {
                throw error.in(made.getClass().getName(), entry.getKey());
            }
        }
        return made;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Map<Object, Object> newMap(Class<?> raw, Type key) throws JsonError {
        if (raw == EnumMap.class) {
            return new EnumMap(Types.raw(key));
        }
        if (!raw.isInterface() && !Modifier.isAbstract(raw.getModifiers())) {
            return (Map<Object, Object>) Bean.of(raw).instance();
        }
        if (ConcurrentMap.class.isAssignableFrom(raw)) {
            return new ConcurrentHashMap<>();
        }
        if (raw == SortedMap.class || raw == NavigableMap.class) {
            return new TreeMap<>();
        }
        if (raw.isAssignableFrom(LinkedHashMap.class)) {
            return new LinkedHashMap<>();
        }
        return (Map<Object, Object>) Bean.of(raw).instance();
    }

    private Object entry(Object json, Type type, Class<?> raw) throws JsonError {
        if (json instanceof List && ((List<?>) json).isEmpty()) {
            return null;
        }
        Map<?, ?> members = members(json, raw, true);
        Iterator<? extends Map.Entry<?, ?>> entries = members.entrySet().iterator();
        if (!entries.hasNext()) {
            throw new JsonError("Cannot deserialize a Map.Entry out of empty JSON Object");
        }
        Map.Entry<?, ?> only = entries.next();
        if (entries.hasNext()) {
            throw new JsonError("Problem binding JSON into Map.Entry: more than one entry in JSON (second field: '"
                    + entries.next().getKey() + "')");
        }
        Object key = scalars.key((String) only.getKey(), Types.raw(Types.argument(type, Map.Entry.class, 0)));
        return new java.util.AbstractMap.SimpleEntry<>(key, read(only.getValue(), Types.argument(type, Map.Entry.class, 1)));
    }

    private static Map<?, ?> members(Object json, Class<?> raw, boolean hasCreator) throws JsonError {
        if (json instanceof Map) {
            return (Map<?, ?>) json;
        }
        if (json instanceof List) {
            throw Scalars.mismatch(json, raw);
        }
        String start = "Cannot construct instance of `" + raw.getName() + "` "
                + (hasCreator ? "(although at least one Creator exists)" : "(no Creators, like default constructor, exist)");
        if (json instanceof String) {
            throw new JsonError(start + ": no String-argument constructor/factory method to deserialize from String value ('"
                    + ((String) json).trim() + "')");
        }
        if (json instanceof Boolean) {
            throw new JsonError(start + ": no boolean/Boolean-argument constructor/factory method to deserialize from boolean"
                    + " value (" + json + ")");
        }
        Number number = ((JsonNumber) json).natural();
        String kind = number instanceof Integer || number instanceof Long ? "int/Int"
                : number instanceof Double ? "double/Double" : "BigInteger";
        throw new JsonError(start + ": no " + kind + "-argument constructor/factory method to deserialize from Number value ("
                + number + ")");
    }

    private Object bean(Object json, Type type, Class<?> raw) throws JsonError {
        boolean isAbstract = Modifier.isAbstract(raw.getModifiers());
        if (isBlank(json) && !isAbstract) {
            return null;
        }
        if (Records.isRecord(raw)) {
            return record(members(json, raw, true), type, raw);
        }
        Bean bean = Bean.of(raw);
        if (isAbstract) {
            return bean.instance(); // says why it can't be
        }
        if (S3Events.isOne(raw)) {
            return S3Events.read(members(json, raw, true), raw, this);
        }
        Map<?, ?> members = members(json, raw, bean.constructor != null);
        Object made = bean.instance();
        Map<TypeVariable<?>, Type> variables = Types.variablesOf(type);
        for (Map.Entry<?, ?> member : members.entrySet()) {
            Property setter = bean.setters.get(member.getKey());
            if (setter != null) {
                try {
                    setter.set(made, read(member.getValue(), Types.substitute(setter.type, variables)));
                } catch (JsonError error) {
                    throw error.in(raw.getName(), member.getKey());
                }
            }
        }
        return made;
    }

    private Object record(Map<?, ?> members, Type type, Class<?> raw) throws JsonError {
        Records record = new Records(raw);
        Map<TypeVariable<?>, Type> variables = Types.variablesOf(type);
        Object[] values = new Object[record.names.size()];
        Iterator<Type> types = record.types.iterator();
        for (int index = 0; index < values.length; index++) {
            String name = record.names.get(index);
            try {
                values[index] = read(members.get(name), Types.substitute(types.next(), variables));
            } catch (JsonError error) {
                throw error.in(raw.getName(), name);
            }
        }
        return record.instance(values);
    }
}
