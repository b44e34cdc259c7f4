export { isUnavailable, StartError, StoreUnavailable } from './errors.ts';
export { lockFolder, makeDataFolder } from './folder-lock.ts';
export { type OpenStores, openStores, type StoreOptions } from './open.ts';
export { memoryRealtime } from './realtime/memory.ts';
export { openRedis } from './realtime/redis.ts';
