import { now } from './statistics.ts';

/** The simulator's clock: milliseconds since 1970 with three decimals and a space. */
const stamp = /(\d{13}\.\d{3}) /g;

/** Collects how old the stamps of one stream were when they arrived, in ms. */
export class Stamps {
  readonly ages: number[] = [];

  read(text: string): void {
    const at = now();
    for (const [, written] of text.matchAll(stamp)) this.ages.push(at - Number(written));
  }
}
