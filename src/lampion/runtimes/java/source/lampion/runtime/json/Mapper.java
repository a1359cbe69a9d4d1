package lampion.runtime.json;

import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** JSON to and from objects of one type. */
public final class Mapper {
    /** For these AWS's runtime has serializers of their own: names as EventNames says, and dates that are seconds. */
    private static final Set<String> EVENTS =
            new HashSet<>(
                    Arrays.asList(
                            "APIGatewayProxyRequestEvent", "APIGatewayProxyResponseEvent",
                            "CloudFormationCustomResourceEvent", "CloudFrontEvent", "CloudWatchLogsEvent",
                            "CodeCommitEvent", "CodePipelineEvent", "CognitoEvent", "ConfigEvent", "ConnectEvent",
                            "DynamodbEvent", "DynamodbEvent$DynamodbStreamRecord", "DynamodbTimeWindowEvent",
                            "IoTButtonEvent", "KinesisEvent", "KinesisTimeWindowEvent", "KinesisFirehoseEvent",
                            "LambdaDestinationEvent", "LexEvent", "ScheduledEvent", "SecretsManagerRotationEvent",
                            "S3Event", "models.s3.S3EventNotification", "SNSEvent", "SQSEvent"));

    private static final String EVENTS_PACKAGE = "com.amazonaws.services.lambda.runtime.events.";

    private final Type type;
    private final boolean isEvent;

    private Mapper(Type type) {
        String name = Types.raw(type).getName();
        this.type = type;
        this.isEvent = name.startsWith(EVENTS_PACKAGE) && EVENTS.contains(name.substring(EVENTS_PACKAGE.length()));
    }

    public static Mapper of(Type type) {
        return new Mapper(type);
    }

    /** Throws UncheckedIOException around what is wrong with the JSON. */
    public Object read(byte[] json) {
        try {
            return new ObjectReader(isEvent).read(JsonReader.read(json), type);
        } catch (JsonError error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Throws UncheckedIOException around what can't be written. */
    public byte[] write(Object value) {
        try {
            return new ObjectWriter(isEvent).write(value, Types.raw(type));
        } catch (JsonError error) {
            throw new UncheckedIOException(error);
        }
    }
}
