package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class S3Event extends com.amazonaws.services.lambda.runtime.events.models.s3.S3EventNotification {
    public S3Event(List<S3EventNotificationRecord> records) {
        super(records);
    }
}
