package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class DynamodbEvent {
    private List<DynamodbStreamRecord> records;
    public List<DynamodbStreamRecord> getRecords() { return records; }
    public void setRecords(List<DynamodbStreamRecord> value) { this.records = value; }

    public static class DynamodbStreamRecord {
        private String eventName;
        private String eventSourceARN;
        private com.amazonaws.services.lambda.runtime.events.models.dynamodb.StreamRecord dynamodb;
        public String getEventName() { return eventName; }
        public void setEventName(String value) { this.eventName = value; }
        public String getEventSourceARN() { return eventSourceARN; }
        public void setEventSourceARN(String value) { this.eventSourceARN = value; }
        public com.amazonaws.services.lambda.runtime.events.models.dynamodb.StreamRecord getDynamodb() { return dynamodb; }
        public void setDynamodb(com.amazonaws.services.lambda.runtime.events.models.dynamodb.StreamRecord value) { this.dynamodb = value; }
    }
}
