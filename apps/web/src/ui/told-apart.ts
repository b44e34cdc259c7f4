/** Names of one list so that no two are the same: the second `draft` is `draft (2)`. In the order given. */
export const toldApart = (names: readonly string[]): string[] => {
  const times = new Map<string, number>();
  return names.map((name) => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return time === 1 ? name : `${name} (${time})`;
  });
};
