// Loaded in rehearsals, so that what finds and loads a function's file is warm.
exports.handler = () => undefined;
