/** The version of the SDK, sent in `hello`. A test compares it with package.json. */
export const sdkVersion = '0.1.0'
