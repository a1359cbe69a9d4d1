package lampion.runtime.json;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Generic types: what their variables stand for, and what is left of them at run time. */
public final class Types {
    private Types() {}

    /** What the type variables of `type`, of its superclasses and of its interfaces are filled in with. */
    public static Map<TypeVariable<?>, Type> variablesOf(Type type) {
        Map<TypeVariable<?>, Type> found = new HashMap<>();
        collect(type, found);
        return found;
    }

    private static void collect(Type type, Map<TypeVariable<?>, Type> found) {
        if (type instanceof ParameterizedType) {
            ParameterizedType filled = (ParameterizedType) type;
            TypeVariable<?>[] parameters = ((Class<?>) filled.getRawType()).getTypeParameters();
            Type[] arguments = filled.getActualTypeArguments();
            for (int index = 0; index < parameters.length; index++) {
                if (!found.containsKey(parameters[index])) {
                    found.put(parameters[index], arguments[index]);
                }
            }
            collect(filled.getOwnerType(), found);
        }
        Class<?> raw = type == null ? null : raw(type);
        if (raw == null || raw == Object.class) {
            return;
        }
        for (Type implemented : raw.getGenericInterfaces()) {
            collect(implemented, found);
        }
        collect(raw.getGenericSuperclass(), found);
    }

    /** The type with its variables replaced by what is known of them. */
    static Type substitute(Type type, Map<TypeVariable<?>, Type> known) {
        if (type instanceof Class || known.isEmpty()) {
            return type;
        }
        if (type instanceof TypeVariable) {
            Type filled = known.get(type);
            return filled == null || filled.equals(type) ? type : substitute(filled, known);
        }
        if (type instanceof ParameterizedType) {
            ParameterizedType generic = (ParameterizedType) type;
            Type[] arguments = generic.getActualTypeArguments();
            for (int index = 0; index < arguments.length; index++) {
                arguments[index] = substitute(arguments[index], known);
            }
            return new Filled((Class<?>) generic.getRawType(), arguments);
        }
        if (type instanceof GenericArrayType) {
            final Type component = substitute(((GenericArrayType) type).getGenericComponentType(), known);
            return new GenericArrayType() {
                @Override
                public Type getGenericComponentType() {
                    return component;
                }
            };
        }
        return type instanceof WildcardType ? substitute(((WildcardType) type).getUpperBounds()[0], known) : type;
    }

    /** The class behind a type; a variable's is its first bound's. */
    static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getRawType();
        }
        if (type instanceof GenericArrayType) {
            Class<?> component = raw(((GenericArrayType) type).getGenericComponentType());
            return java.lang.reflect.Array.newInstance(component, 0).getClass();
        }
        if (type instanceof TypeVariable) {
            return raw(((TypeVariable<?>) type).getBounds()[0]);
        }
        return raw(((WildcardType) type).getUpperBounds()[0]);
    }

    /** What a `type` that is a `generic` fills its parameter number `index` in with; Object where it doesn't say. */
    static Type argument(Type type, Class<?> generic, int index) {
        Type found = substitute(generic.getTypeParameters()[index], variablesOf(type));
        return found instanceof TypeVariable && found.equals(generic.getTypeParameters()[index]) ? Object.class : found;
    }

    /** As messages show it. */
    static String nameOf(Type type) {
        StringBuilder name = new StringBuilder(raw(type).getName());
        if (type instanceof ParameterizedType) {
            char separator = '<';
            for (Type argument : ((ParameterizedType) type).getActualTypeArguments()) {
                name.append(separator).append(nameOf(argument));
                separator = ',';
            }
            name.append('>');
        }
        return name.toString();
    }

    /** The type of an array's elements; null for what is no array. */
    static Type component(Type type) {
        return type instanceof GenericArrayType
                ? ((GenericArrayType) type).getGenericComponentType()
                : raw(type).getComponentType();
    }

    /** A generic class whose parameters are filled in. */
    private static final class Filled implements ParameterizedType {
        private final Class<?> raw;
        private final Type[] arguments;

        Filled(Class<?> raw, Type[] arguments) {
            this.raw = raw;
            this.arguments = arguments;
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments.clone();
        }

        @Override
        public Type getRawType() {
            return raw;
        }

        @Override
        public Type getOwnerType() {
            return null;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof ParameterizedType
                    && raw == ((ParameterizedType) other).getRawType()
                    && Arrays.equals(arguments, ((ParameterizedType) other).getActualTypeArguments());
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(arguments) ^ raw.hashCode();
        }
    }
}
