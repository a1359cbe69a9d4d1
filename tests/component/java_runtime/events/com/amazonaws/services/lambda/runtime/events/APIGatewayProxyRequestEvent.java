package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class APIGatewayProxyRequestEvent {
    private String path;
    private String httpMethod;
    private Map<String, String> headers;
    private Map<String, List<String>> multiValueHeaders;
    private Boolean isBase64Encoded;
    public String getPath() { return path; }
    public void setPath(String value) { this.path = value; }
    public String getHttpMethod() { return httpMethod; }
    public void setHttpMethod(String value) { this.httpMethod = value; }
    public Map<String, String> getHeaders() { return headers; }
    public void setHeaders(Map<String, String> value) { this.headers = value; }
    public Map<String, List<String>> getMultiValueHeaders() { return multiValueHeaders; }
    public void setMultiValueHeaders(Map<String, List<String>> value) { this.multiValueHeaders = value; }
    public Boolean getIsBase64Encoded() { return isBase64Encoded; }
    public void setIsBase64Encoded(Boolean value) { isBase64Encoded = value; }
}
