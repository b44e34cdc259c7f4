/** Which servers are there and which streams they follow, as far as this one has heard. Times in monotonic ms. */
export class Roster {
  readonly #servers = new Map<string, { readonly follows: Set<string>; until: number }>();
  readonly #followers = new Map<string, Set<string>>();
  readonly #ttl_ms: number;

  constructor(ttl_ms: number) {
    this.#ttl_ms = ttl_ms;
  }

  /** A server said that it is there and what it follows. Answers what it was not known to follow. */
  beat(server: string, follows: readonly string[], now: number): string[] {
    const known = this.#servers.get(server);
    const next = new Set(follows);
    const begun = follows.filter((stream) => !known?.follows.has(stream));
    for (const stream of known?.follows ?? []) if (!next.has(stream)) this.#drop(server, stream);
    this.#servers.set(server, { follows: next, until: now + this.#ttl_ms });
    for (const stream of next) this.#add(server, stream);
    return begun;
  }

  follow(server: string, stream: string, on: boolean, now: number): void {
    const known = this.#servers.get(server) ?? { follows: new Set<string>(), until: now + this.#ttl_ms };
    this.#servers.set(server, known);
    if (on) {
      known.follows.add(stream);
      this.#add(server, stream);
    } else {
      known.follows.delete(stream);
      this.#drop(server, stream);
    }
  }

  leave(server: string): void {
    for (const stream of this.#servers.get(server)?.follows ?? []) this.#drop(server, stream);
    this.#servers.delete(server);
  }

  /** Those that were not heard of for too long. */
  expired(now: number): string[] {
    return [...this.#servers].filter(([, { until }]) => until < now).map(([server]) => server);
  }

  servers(): string[] {
    return [...this.#servers.keys()];
  }

  followersOf(stream: string): Iterable<string> {
    return this.#followers.get(stream) ?? [];
  }

  #add(server: string, stream: string): void {
    const held = this.#followers.get(stream);
    if (held) held.add(server);
    else this.#followers.set(stream, new Set([server]));
  }

  #drop(server: string, stream: string): void {
    const held = this.#followers.get(stream);
    held?.delete(server);
    if (held?.size === 0) this.#followers.delete(stream);
  }
}
