package lampion.runtime.json;

import java.lang.reflect.InvocationTargetException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Calendar;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.TimeZone;

/** Java's older dates: milliseconds, in AWS's events seconds, or a text. And Joda's, if a function brings that. */
final class Dates {
    static final String JODA = "org.joda.time.DateTime";

    private Dates() {}

    static Object read(Object json, Class<?> type, boolean isSeconds) throws JsonError {
        Date date = isSeconds ? ofSeconds(json) : ofMilliseconds(json, type);
        if (date == null) {
            return null;
        }
        if (Calendar.class.isAssignableFrom(type)) {
            Calendar calendar = new GregorianCalendar(TimeZone.getTimeZone("UTC"));
            calendar.setTime(date);
            return calendar;
        }
        if (type == Date.class) {
            return date;
        }
        try { // java.sql.Timestamp and its like
            return type.getConstructor(Long.TYPE).newInstance(date.getTime());
        } catch (ReflectiveOperationException error) {
            throw Scalars.mismatch(json, type);
        }
    }

    private static Date ofSeconds(Object json) {
        double seconds = 0;
        try {
            seconds = Double.parseDouble(String.valueOf(json));
        } catch (NumberFormatException error) {
            return null;
        }
        return seconds == 0 ? null : new Date((long) (seconds * 1000));
    }

    private static Date ofMilliseconds(Object json, Class<?> type) throws JsonError {
        if (json instanceof JsonNumber && ((JsonNumber) json).isWhole) {
            Number number = ((JsonNumber) json).natural();
            if (number instanceof java.math.BigInteger) {
                throw new JsonError("Cannot deserialize value of type `" + type.getName() + "` from number " + number
                        + ": not a valid 64-bit `long` for creating `java.util.Date`");
            }
            return new Date(number.longValue());
        }
        if (!(json instanceof String)) {
            throw Scalars.mismatch(json, type);
        }
        String text = ((String) json).trim();
        if (text.isEmpty() || text.equals("null")) {
            return null;
        }
        if (text.matches("-?\\d{1,18}")) {
            return new Date(Long.parseLong(text));
        }
        Instant instant = instant(text);
        if (instant == null) {
            throw new JsonError("Cannot deserialize value of type `" + type.getName() + "` from String \"" + text
                    + "\": not a valid representation (error: Failed to parse Date value '" + text
                    + "': Cannot parse date \"" + text + "\": not compatible with any of standard forms"
                    + " (\"yyyy-MM-dd'T'HH:mm:ss.SSSX\", \"yyyy-MM-dd'T'HH:mm:ss.SSS\","
                    + " \"EEE, dd MMM yyyy HH:mm:ss zzz\", \"yyyy-MM-dd\"))");
        }
        return Date.from(instant);
    }

    /** ISO 8601 with less or more of its parts, in UTC where it doesn't say; RFC 1123. Null for anything else. */
    private static Instant instant(String text) {
        try {
            if (text.matches("\\d{4}-\\d\\d-\\d\\d")) {
                return LocalDate.parse(text).atStartOfDay().toInstant(ZoneOffset.UTC);
            }
            if (text.matches("\\d{4}-\\d\\d-\\d\\dT.*")) {
                String full = text.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2").replaceFirst("(T.*[+-]\\d\\d)$", "$1:00");
                boolean hasZone = full.endsWith("Z") || full.matches(".*T.*[+-]\\d\\d:\\d\\d");
                return hasZone
                        ? OffsetDateTime.parse(full).toInstant()
                        : LocalDateTime.parse(full).toInstant(ZoneOffset.UTC);
            }
            return ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        } catch (DateTimeParseException error) {
            return null;
        }
    }

    static Object readJoda(String text, Class<?> type) throws JsonError {
        try {
            return type.getConstructor(Object.class).newInstance(text);
        } catch (InvocationTargetException error) {
            throw new JsonError(String.valueOf(error.getCause().getMessage()), error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new JsonError(error.toString(), error);
        }
    }
}
