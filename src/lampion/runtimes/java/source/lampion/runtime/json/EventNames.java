package lampion.runtime.json;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How the classes of AWS's library of events spell their JSON, where that differs from their property names.
 *
 * <p>AWS's runtime brings this knowledge too: the annotations in the library are made for people's own mappers.
 */
final class EventNames {
    private static final String EVENTS = "com.amazonaws.services.lambda.runtime.events.";
    private static final String DYNAMODB = "com.amazonaws.services.dynamodbv2.model.";
    private static final String S3 = "com.amazonaws.services.s3.event.S3EventNotification";

    /** Classes whose every name begins with a capital letter. */
    private static final Set<String> CAPITALISED =
            new HashSet<>(
                    Arrays.asList(
                            EVENTS + "CloudFormationCustomResourceEvent",
                            EVENTS + "ConnectEvent",
                            EVENTS + "ConnectEvent$ContactData",
                            EVENTS + "ConnectEvent$CustomerEndpoint",
                            EVENTS + "ConnectEvent$Details",
                            EVENTS + "ConnectEvent$Queue",
                            EVENTS + "ConnectEvent$SystemEndpoint",
                            EVENTS + "SNSEvent",
                            EVENTS + "SNSEvent$MessageAttribute",
                            EVENTS + "SNSEvent$SNS",
                            EVENTS + "SNSEvent$SNSRecord",
                            EVENTS + "SecretsManagerRotationEvent",
                            EVENTS + "models.dynamodb.AttributeValue",
                            EVENTS + "models.dynamodb.StreamRecord",
                            DYNAMODB + "AttributeValue",
                            DYNAMODB + "StreamRecord"));

    /** The rest, by class and property, separated by a dot. */
    private static final Map<String, String> OTHERS = new HashMap<>();

    static {
        for (String event :
                new String[] {
                    "CloudFrontEvent", "CodeCommitEvent", "DynamodbEvent", "DynamodbTimeWindowEvent", "KinesisEvent",
                    "KinesisTimeWindowEvent", "S3Event", "SESEvent", "SQSEvent", "models.s3.S3EventNotification"
                }) {
            OTHERS.put(EVENTS + event + ".records", "Records");
        }
        OTHERS.put(S3 + ".records", "Records");
        for (String record :
                new String[] {
                    "CodeCommitEvent$Record", "DynamodbEvent$DynamodbStreamRecord", "DynamodbTimeWindowEvent",
                    "KinesisEvent$KinesisEventRecord", "KinesisTimeWindowEvent", "SQSEvent$SQSMessage"
                }) {
            OTHERS.put(EVENTS + record + ".eventSourceArn", "eventSourceARN");
        }
        OTHERS.put(EVENTS + "CloudFormationCustomResourceEvent.responseUrl", "ResponseURL");
        OTHERS.put(EVENTS + "CloudWatchLogsEvent.awsLogs", "awslogs");
        OTHERS.put(EVENTS + "CodePipelineEvent.codePipelineJob", "CodePipeline.job");
        OTHERS.put(EVENTS + "ConnectEvent$ContactData.instanceArn", "InstanceARN");
        OTHERS.put(EVENTS + "SNSEvent$SNSRecord.SNS", "Sns");
        OTHERS.put(EVENTS + "SNSEvent$SNSRecord.sns", "Sns");
        OTHERS.put(EVENTS + "ScheduledEvent.detailType", "detail-type");
        for (String response :
                new String[] {EVENTS + "models.s3.S3EventNotification$ResponseElementsEntity", S3 + "$ResponseElementsEntity"}) {
            OTHERS.put(response + ".xAmzId2", "x-amz-id-2");
            OTHERS.put(response + ".xAmzRequestId", "x-amz-request-id");
        }
    }

    private EventNames() {}

    static boolean isEventClass(Class<?> type) {
        return type.getName().startsWith("com.amazonaws.services.");
    }

    static String jsonName(Class<?> type, String property) {
        if (!isEventClass(type)) {
            return property;
        }
        for (Class<?> one = type; one != null && one != Object.class; one = one.getSuperclass()) {
            String special = OTHERS.get(one.getName() + "." + property);
            if (special != null) {
                return special;
            }
            if (CAPITALISED.contains(one.getName())) {
                return Character.toUpperCase(property.charAt(0)) + property.substring(1);
            }
        }
        return property;
    }
}
