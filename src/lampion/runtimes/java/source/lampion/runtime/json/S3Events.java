package lampion.runtime.json;

import java.lang.reflect.Constructor;
import java.util.HashMap;
import java.util.Map;

/** AWS's classes for S3 events can only be made by their constructors: which JSON members those take, in order. */
final class S3Events {
    private static final Map<String, String[]> ARGUMENTS = new HashMap<>();

    static {
        ARGUMENTS.put("S3Event", new String[] {"Records"});
        ARGUMENTS.put("S3EventNotification", new String[] {"Records"});
        ARGUMENTS.put(
                "S3EventNotificationRecord",
                new String[] {
                    "awsRegion", "eventName", "eventSource", "eventTime", "eventVersion", "requestParameters",
                    "responseElements", "s3", "userIdentity"
                });
        ARGUMENTS.put("S3Entity", new String[] {"configurationId", "bucket", "object", "s3SchemaVersion"});
        ARGUMENTS.put("S3BucketEntity", new String[] {"name", "ownerIdentity", "arn"});
        ARGUMENTS.put("S3ObjectEntity", new String[] {"key", "size", "eTag", "versionId", "sequencer"});
        ARGUMENTS.put("RequestParametersEntity", new String[] {"sourceIPAddress"});
        ARGUMENTS.put("ResponseElementsEntity", new String[] {"x-amz-id-2", "x-amz-request-id"});
        ARGUMENTS.put("UserIdentityEntity", new String[] {"principalId"});
    }

    private S3Events() {}

    static boolean isOne(Class<?> type) {
        return EventNames.isEventClass(type)
                && type.getName().contains("S3Event")
                && ARGUMENTS.containsKey(type.getSimpleName());
    }

    /** What the JSON doesn't have is an empty text, a zero, or an object without anything, as on AWS. */
    static Object read(Map<?, ?> members, Class<?> type, ObjectReader reader) throws JsonError {
        String[] names = ARGUMENTS.get(type.getSimpleName());
        Constructor<?> constructor = constructor(type, names.length);
        Class<?>[] parameters = constructor.getParameterTypes();
        Object[] values = new Object[parameters.length];
        for (int index = 0; index < parameters.length; index++) {
            Object member = members.get(names[index]);
            values[index] = reader.read(member == null ? nothing(parameters[index]) : member,
                    constructor.getGenericParameterTypes()[index]);
        }
        try {
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException error) {
            throw new JsonError("Cannot construct instance of `" + type.getName() + "`", error);
        }
    }

    private static Object nothing(Class<?> type) {
        if (type == String.class) {
            return "";
        }
        if (type == Long.class || type == Integer.class) {
            return new JsonNumber("0", true);
        }
        return java.util.List.class.isAssignableFrom(type) ? new java.util.ArrayList<>() : new HashMap<>();
    }

    /** The longest that takes no more than is known; older classes have shorter ones. */
    private static Constructor<?> constructor(Class<?> type, int most) throws JsonError {
        Constructor<?> best = null;
        for (Constructor<?> one : type.getDeclaredConstructors()) {
            int count = one.getParameterTypes().length;
            boolean isLonger = best == null || count > best.getParameterTypes().length;
            boolean isNewer = best != null && count == best.getParameterTypes().length && takesLong(one);
            if (count <= most && !one.isSynthetic() && (isLonger || isNewer)) {
                best = one;
            }
        }
        if (best == null) {
            throw new JsonError("Cannot construct instance of `" + type.getName() + "`");
        }
        return best;
    }

    private static boolean takesLong(Constructor<?> constructor) {
        return java.util.Arrays.asList(constructor.getParameterTypes()).contains(Long.class);
    }
}
