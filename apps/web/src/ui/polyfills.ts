/** What the product uses beyond the oldest browsers it supports (Chrome 90, Firefox 88, Safari 14). Loaded first. */
const define = (target: object, name: string, value: unknown): void => {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
};

function at<T>(this: ArrayLike<T>, index: number): T | undefined {
  return this[index < 0 ? this.length + index : index];
}
define(Array.prototype, 'at', at);
define(String.prototype, 'at', at);
define(Array.prototype, 'toSorted', function toSorted<T>(this: T[], compare?: (a: T, b: T) => number) {
  return [...this].sort(compare);
});
define(Array.prototype, 'findLastIndex', function findLastIndex<T>(this: T[], test: (one: T) => boolean) {
  let index = this.length - 1;
  while (index >= 0 && !test(this[index] as T)) index -= 1;
  return index;
});
define(Array.prototype, 'findLast', function findLast<T>(this: T[], test: (one: T) => boolean) {
  return this[this.findLastIndex(test)];
});
define(
  Object,
  'hasOwn',
  (target: object, key: PropertyKey) => Reflect.getOwnPropertyDescriptor(target, key) !== undefined,
);
define(globalThis.crypto, 'randomUUID', () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
});
