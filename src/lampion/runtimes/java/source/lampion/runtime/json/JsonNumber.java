package lampion.runtime.json;

import java.math.BigDecimal;
import java.math.BigInteger;

/** A number as it was written, until it is known what it is to become. */
final class JsonNumber {
    private static final int DIGITS_MAX = 1000;

    final String text;
    final boolean isWhole;

    JsonNumber(String text, boolean isWhole) {
        this.text = text;
        this.isWhole = isWhole;
    }

    /** Refuse what would take ever longer to become a number. */
    static void checkLength(int digits) throws JsonError {
        if (digits > DIGITS_MAX) {
            throw new JsonError("Number value length (" + digits + ") exceeds the maximum allowed (" + DIGITS_MAX
                    + ", from `StreamReadConstraints.getMaxNumberLength()`)");
        }
    }

    /** For a whole number, also without its sign. */
    boolean isZero() {
        return text.equals("0") || text.equals("-0");
    }

    /** The smallest of Integer, Long and BigInteger for a whole number, else a Double. */
    Number natural() {
        if (!isWhole) {
            return Double.valueOf(text);
        }
        if (text.length() <= 18) {
            long value = Long.parseLong(text);
            if (value == (int) value) {
                return (int) value;
            }
            return value;
        }
        BigInteger value = new BigInteger(text);
        if (value.bitLength() < 64) {
            return value.longValue();
        }
        return value;
    }

    /** Not for NaN and the infinities. Throws NumberFormatException. */
    BigDecimal exact() {
        return new BigDecimal(text);
    }

    @Override
    public String toString() {
        return text;
    }
}
