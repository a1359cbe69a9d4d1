// Loaded in rehearsals, so that the loader of ES modules is warm.
export const handler = () => undefined;
