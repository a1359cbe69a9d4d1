package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class KinesisEvent {
    private List<KinesisEventRecord> records;
    public List<KinesisEventRecord> getRecords() { return records; }
    public void setRecords(List<KinesisEventRecord> value) { this.records = value; }

    public static class KinesisEventRecord {
        private Record kinesis;
        private String eventSourceARN;
        public Record getKinesis() { return kinesis; }
        public void setKinesis(Record value) { this.kinesis = value; }
        public String getEventSourceARN() { return eventSourceARN; }
        public void setEventSourceARN(String value) { this.eventSourceARN = value; }
    }

    public static class Record {
        private ByteBuffer data;
        private Date approximateArrivalTimestamp;
        private String partitionKey;
        public ByteBuffer getData() { return data; }
        public void setData(ByteBuffer value) { this.data = value; }
        public Date getApproximateArrivalTimestamp() { return approximateArrivalTimestamp; }
        public void setApproximateArrivalTimestamp(Date value) { this.approximateArrivalTimestamp = value; }
        public String getPartitionKey() { return partitionKey; }
        public void setPartitionKey(String value) { this.partitionKey = value; }
    }
}
