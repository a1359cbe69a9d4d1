// Loaded once by waiting workers, so that the loader of ES modules is warm.
export const handler = () => undefined;
