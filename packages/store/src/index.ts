export { type BackupFile, listBackups } from './backup/folder.ts';
export { type Restored, type RestoreOptions, restoreBackup } from './backup/restore.ts';
export { type Taken, type TakeOptions, takeBackup } from './backup/take.ts';
export { isUnavailable, StartError, StoreUnavailable } from './errors.ts';
export { examineStore, type StoreFindings } from './examine.ts';
export { lockFolder, lockHolder, makeDataFolder } from './folder-lock.ts';
export { type OpenStores, openStores, type StoreOptions } from './open.ts';
export { memoryRealtime } from './realtime/memory.ts';
export { openRedis } from './realtime/redis.ts';
export {
  type Rotated,
  rotateVault,
  type VaultOptions,
  type VaultReport,
  vaultStatus,
} from './vault/rotate.ts';
