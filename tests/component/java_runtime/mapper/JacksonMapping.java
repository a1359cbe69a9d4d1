import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.lang.reflect.Type;

/**
 * Jackson with the settings of aws-lambda-java-serialization, as far as they differ from Jackson's own.
 *
 * <p>It made outcomes.txt of cases.txt, with Jackson 2.17.2 and its modules jdk8 and jsr310 on the class path:
 * {@code java -cp ... Check jackson < cases.txt > outcomes.txt}. Tests don't need it.
 */
class JacksonMapping implements Check.Mapping {
    private final ObjectMapper mapper;

    private JacksonMapping(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    static JacksonMapping make() {
        JsonFactory factory = JsonFactory.builder()
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS, JsonReadFeature.ALLOW_LEADING_ZEROS_FOR_NUMBERS,
                        JsonReadFeature.ALLOW_SINGLE_QUOTES, JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER,
                        JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS, JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES)
                .build();
        factory.enable(JsonGenerator.Feature.IGNORE_UNKNOWN);
        ObjectMapper mapper = JsonMapper.builder(factory)
                .enable(MapperFeature.USE_STD_BEAN_NAMING)
                .disable(MapperFeature.AUTO_DETECT_CREATORS, MapperFeature.INFER_PROPERTY_MUTATORS,
                        MapperFeature.USE_GETTERS_AS_SETTERS)
                .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .enable(DeserializationFeature.ACCEPT_EMPTY_ARRAY_AS_NULL_OBJECT,
                        DeserializationFeature.ACCEPT_EMPTY_STRING_AS_NULL_OBJECT,
                        DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY,
                        DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL,
                        DeserializationFeature.UNWRAP_SINGLE_VALUE_ARRAYS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
        mapper.setSerializationInclusion(JsonInclude.Include.NON_NULL);
        for (String module : new String[] {"datatype.jdk8.Jdk8Module", "datatype.jsr310.JavaTimeModule"}) {
            try {
                Class<?> found = Class.forName("com.fasterxml.jackson." + module);
                mapper.registerModule((com.fasterxml.jackson.databind.Module) found.getConstructor().newInstance());
            } catch (ReflectiveOperationException absent) {
                // not everywhere
            }
        }
        return new JacksonMapping(mapper);
    }

    @Override
    public Object read(String json, Type type) throws Exception {
        JavaType java = mapper.constructType(type);
        return mapper.readerFor(java).readValue(new ByteArrayInputStream(json.getBytes("UTF-8")));
    }

    @Override
    public String write(Object value, Type type) throws Exception {
        return new String(mapper.writerFor(mapper.constructType(type)).writeValueAsBytes(value), "UTF-8");
    }
}
