"""Texts that programs stumble over."""

ODD_TEXTS = {
    "NFC": "caf\u00e9",
    "NFD": "cafe\u0301",
    "NUL": "a\0b",
    "lone high surrogate": "a\ud800b",
    "lone low surrogate": "\udfff",
    "right to left": "\u202egnihton\u202c \u05d0\u05d1\u05d2",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600",
    "line separators": "a\u2028b\u2029c\u0085d\r\ne",
    "noncharacter": "\uffff\ufffe\ufeff",
    "traversal": "../../../../etc/passwd",
    "braces": "${jndi:x} {{7*7}} %s %n {0}",
    "blank": " ",
    "65 KB": "y" * 66_000,
}
OFF_PATTERN = ("", " ", "!", "\n", "a b", "\t", "ARN:", "..", "#%", "a/b", "x" * 36, "arn:aws:lambda", "\x7f")
"""Most patterns of the model match none of them."""
