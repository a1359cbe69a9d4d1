"""The AWS wire, from the service model: routes, parsing, validation, answers, signatures. Knows no rules of Lambda."""
