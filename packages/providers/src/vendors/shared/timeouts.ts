import type { Vendor } from '../../vendor.ts';

/** For services in the cloud: a long thought may come before the first byte, silence after it is a fault. */
export const cloudTimeouts: Vendor['timeouts'] = {
  connect_ms: 10_000,
  first_byte_ms: 600_000,
  between_chunks_ms: 120_000,
};
