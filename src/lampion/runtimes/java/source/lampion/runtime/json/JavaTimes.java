package lampion.runtime.json;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;

/** java.time, as Jackson's module for it has it: numbers and arrays when written, and texts too when read. */
final class JavaTimes {
    private static final String SECONDS = "\\d{1,19}(\\.\\d{0,100})?";
    private static final int ZEROS_MAX = 63;
    private static final int FRACTION_DIGITS = 9;
    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000);

    private JavaTimes() {}

    /** Scalars.NONE for a type that isn't known. */
    static Object read(Object json, Class<?> type) throws JsonError {
        try {
            if (json instanceof JsonNumber) {
                return ofNumber((JsonNumber) json, type);
            }
            if (json instanceof List) {
                List<?> parts = (List<?>) json;
                if (parts.isEmpty()) {
                    return null;
                }
                boolean isLocal = type.getSimpleName().startsWith("Local") || type == YearMonth.class;
                Object first = parts.get(0);
                boolean standsForOne = parts.size() == 1 && (first instanceof String || !isLocal && !(first instanceof List));
                return standsForOne ? read(first, type) : ofParts(parts, type);
            }
            if (json instanceof String) {
                String text = ((String) json).trim();
                return text.isEmpty() ? null : ofText(text, type);
            }
        } catch (DateTimeException | ArithmeticException | NumberFormatException error) {
            throw new JsonError("Cannot deserialize value of type `" + type.getName() + "` from String \"" + json
                    + "\": Failed to deserialize " + type.getName() + ": (" + error.getClass().getName() + ") "
                    + error.getMessage(), error);
        }
        throw Scalars.mismatch(json, type);
    }

    private static Object ofText(String text, Class<?> type) {
        if (type == Instant.class) {
            return text.matches(SECONDS) ? instant(new BigDecimal(text)) : instant(text);
        }
        if (text.matches(SECONDS) && (type == OffsetDateTime.class || type == ZonedDateTime.class)) {
            Instant instant = instant(new BigDecimal(text));
            return type == OffsetDateTime.class ? instant.atOffset(ZoneOffset.UTC) : (Object) instant.atZone(ZoneOffset.UTC);
        }
        if (type == OffsetDateTime.class) {
            return OffsetDateTime.parse(text).withOffsetSameInstant(ZoneOffset.UTC);
        }
        if (type == ZonedDateTime.class) {
            return ZonedDateTime.parse(text).withZoneSameInstant(ZoneOffset.UTC);
        }
        if (type == LocalDate.class) {
            return text.length() > 10 && text.charAt(10) == 'T'
                    ? LocalDateTime.parse(text.endsWith("Z") ? text.substring(0, text.length() - 1) : text).toLocalDate()
                    : LocalDate.parse(text);
        }
        if (type == LocalDateTime.class) {
            return LocalDateTime.parse(text.endsWith("Z") ? text.substring(0, text.length() - 1) : text);
        }
        if (type == LocalTime.class) {
            return LocalTime.parse(text);
        }
        if (type == Duration.class) {
            return Duration.parse(text);
        }
        if (type == Period.class) {
            return Period.parse(text);
        }
        if (type == Year.class) {
            return Year.parse(text);
        }
        if (type == YearMonth.class) {
            return YearMonth.parse(text);
        }
        if (type == MonthDay.class) {
            return MonthDay.parse(text);
        }
        if (type == OffsetTime.class) {
            return OffsetTime.parse(text);
        }
        if (type == ZoneOffset.class) {
            return ZoneOffset.of(text);
        }
        return type == ZoneId.class ? ZoneId.of(text) : Scalars.NONE;
    }

    private static Instant instant(String text) {
        return text.endsWith("Z") ? Instant.parse(text) : OffsetDateTime.parse(text).toInstant();
    }

    private static Object ofNumber(JsonNumber number, Class<?> type) throws JsonError {
        BigDecimal value = number.exact();
        if (type == Instant.class) {
            return instant(value);
        }
        if (type == OffsetDateTime.class) {
            return OffsetDateTime.ofInstant(instant(value), ZoneOffset.UTC);
        }
        if (type == ZonedDateTime.class) {
            return ZonedDateTime.ofInstant(instant(value), ZoneOffset.UTC);
        }
        if (type == Duration.class) {
            BigDecimal seconds = bounded(value);
            return Duration.ofSeconds(whole(seconds), nanos(seconds));
        }
        if (type == Year.class && number.isWhole) {
            return Year.of(value.intValueExact());
        }
        if (type == LocalDate.class && number.isWhole) {
            return LocalDate.ofEpochDay(value.longValueExact());
        }
        throw Scalars.mismatch(number, type);
    }

    /** To write out all digits of what is far too large, or too small, could take for ever: as Jackson, 0 instead. */
    private static BigDecimal bounded(BigDecimal seconds) {
        long wholeDigits = (long) seconds.precision() - seconds.scale();
        return seconds.scale() < -ZEROS_MAX || wholeDigits < -FRACTION_DIGITS ? BigDecimal.ZERO : seconds;
    }

    private static Instant instant(BigDecimal value) {
        BigDecimal seconds = bounded(value);
        return Instant.ofEpochSecond(whole(seconds), nanos(seconds));
    }

    private static long whole(BigDecimal seconds) {
        return seconds.setScale(0, RoundingMode.DOWN).longValueExact();
    }

    private static long nanos(BigDecimal seconds) {
        long nanos = seconds.subtract(seconds.setScale(0, RoundingMode.DOWN)).multiply(NANOS).longValue();
        return whole(seconds) < 0 ? Math.abs(nanos) : nanos;
    }

    private static Object ofParts(List<?> json, Class<?> type) throws JsonError {
        int[] parts = new int[7];
        if (json.size() > parts.length) {
            throw Scalars.mismatch(json, type);
        }
        for (int index = 0; index < json.size(); index++) {
            Object part = json.get(index);
            if (!(part instanceof JsonNumber)) {
                throw Scalars.mismatch(json, type);
            }
            parts[index] = ((JsonNumber) part).exact().intValueExact();
        }
        int count = json.size();
        if (type == LocalDate.class && count == 3) {
            return LocalDate.of(parts[0], parts[1], parts[2]);
        }
        if (type == LocalTime.class && count >= 2 && count <= 4) {
            return LocalTime.of(parts[0], parts[1], parts[2], parts[3]);
        }
        if (type == LocalDateTime.class && count >= 5) {
            return LocalDateTime.of(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]);
        }
        if (type == YearMonth.class && count == 2) {
            return YearMonth.of(parts[0], parts[1]);
        }
        throw Scalars.mismatch(json, type);
    }

    /** As numbers, lists of numbers, or text. */
    static Object written(Object time) {
        if (time instanceof Instant) {
            return point(((Instant) time).getEpochSecond(), ((Instant) time).getNano());
        }
        if (time instanceof OffsetDateTime) {
            return point(((OffsetDateTime) time).toEpochSecond(), ((OffsetDateTime) time).getNano());
        }
        if (time instanceof ZonedDateTime) {
            return point(((ZonedDateTime) time).toEpochSecond(), ((ZonedDateTime) time).getNano());
        }
        if (time instanceof Duration) {
            return seconds(((Duration) time).getSeconds(), ((Duration) time).getNano());
        }
        if (time instanceof LocalDate) {
            return date((LocalDate) time);
        }
        if (time instanceof LocalDateTime) {
            List<Object> parts = date(((LocalDateTime) time).toLocalDate());
            parts.addAll(time(((LocalDateTime) time).toLocalTime()));
            return parts;
        }
        if (time instanceof LocalTime) {
            return time((LocalTime) time);
        }
        if (time instanceof OffsetTime) {
            List<Object> parts = time(((OffsetTime) time).toLocalTime());
            parts.add(((OffsetTime) time).getOffset().toString());
            return parts;
        }
        if (time instanceof Year) {
            return ((Year) time).getValue();
        }
        if (time instanceof YearMonth) {
            List<Object> parts = new ArrayList<>();
            parts.add(((YearMonth) time).getYear());
            parts.add(((YearMonth) time).getMonthValue());
            return parts;
        }
        return time.toString();
    }

    /** Of times before 1970, too, Jackson puts the nanoseconds' digits behind those of the seconds, and reads it so. */
    private static BigDecimal point(long whole, int nanos) {
        return whole < 0 && nanos > 0
                ? BigDecimal.valueOf(whole).subtract(BigDecimal.valueOf(nanos, FRACTION_DIGITS))
                : seconds(whole, nanos);
    }

    private static BigDecimal seconds(long whole, int nanos) {
        if (whole == 0) {
            return nanos == 0 ? new BigDecimal("0.0") : BigDecimal.valueOf(nanos, 9);
        }
        return BigDecimal.valueOf(whole).setScale(FRACTION_DIGITS).add(BigDecimal.valueOf(nanos, FRACTION_DIGITS));
    }

    private static List<Object> date(LocalDate date) {
        List<Object> parts = new ArrayList<>();
        parts.add(date.getYear());
        parts.add(date.getMonthValue());
        parts.add(date.getDayOfMonth());
        return parts;
    }

    private static List<Object> time(LocalTime time) {
        List<Object> parts = new ArrayList<>();
        parts.add(time.getHour());
        parts.add(time.getMinute());
        if (time.getSecond() > 0 || time.getNano() > 0) {
            parts.add(time.getSecond());
            if (time.getNano() > 0) {
                parts.add(time.getNano());
            }
        }
        return parts;
    }
}
