package lampion.runtime;

import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.Map;
import lampion.runtime.json.Types;

/** What a class fills an interface's type parameters in with, however far up it implements that. */
final class InterfaceArguments {
    private InterfaceArguments() {}

    /**
     * A parameter that nobody fills in is its own TypeVariable. Null for a class that uses the raw interface.
     *
     * <p>Variables inside of an argument, as in List&lt;T&gt;, stay as they are: AWS doesn't look there.
     */
    static Type[] find(Class<?> type, Class<?> wanted) {
        Map<TypeVariable<?>, Type> known = Types.variablesOf(type);
        TypeVariable<?>[] parameters = wanted.getTypeParameters();
        Type[] arguments = new Type[parameters.length];
        for (int index = 0; index < parameters.length; index++) {
            Type argument = parameters[index];
            while (argument instanceof TypeVariable && known.containsKey(argument)) {
                argument = known.get(argument);
            }
            if (argument == parameters[index]) {
                return null;
            }
            arguments[index] = argument;
        }
        return arguments;
    }
}
