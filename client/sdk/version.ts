/** What the SDK calls itself in `hello`. A test compares it with package.json. */
export const sdkVersion = '0.1.0'
