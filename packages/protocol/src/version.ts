/** Both sides name it in `hello`/`welcome`; a mismatch says which side to update. */
export const PROTOCOL_VERSION = 1;
