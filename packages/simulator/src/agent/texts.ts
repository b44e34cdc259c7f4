/** Long words for long answers; nothing in them means anything. */
const WORDS =
  'the score opens with a quiet figure in the strings and every player listens before the next bar begins while a steady hand keeps time so that many voices can move at once without losing one another in the hall'.split(
    ' ',
  );

/** A small seeded generator (mulberry32): the same seed gives the same numbers, 0 ≤ n < 1. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** `count` words in sentences and paragraphs, the same for the same topic and count. */
export const words = (count: number, topic: string): string => {
  const random = randomOf([...topic].reduce((sum, char) => sum * 31 + char.charCodeAt(0), count) | 0);
  const out: string[] = [];
  let sentence = 0;
  for (let index = 0; index < count; index += 1) {
    const word =
      sentence === 3 && random() < 0.3 ? topic : (WORDS[Math.floor(random() * WORDS.length)] ?? 'the');
    const ends = index === count - 1 || (sentence > 7 && random() < 0.2);
    out.push(sentence === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word, ends ? '.' : '');
    sentence = ends ? 0 : sentence + 1;
    if (index < count - 1) out.push(ends && random() < 0.25 ? '\n\n' : ' ');
  }
  return out.join('');
};

export const HELP = `I am a **simulator**: I stand in for a language model, cost nothing and need no key. I follow a few commands with real tools:

- \`read input.txt and write its upper case to out.txt\`
- \`read a.txt, b.txt and c.txt\` (in parallel) · \`copy a.txt to b.txt\`
- \`write hello to notes.txt\` · \`edit notes.txt replace hello by goodbye\`
- \`list files\` · \`find files *.md\` · \`search for TODO\`
- \`run echo hello\` · \`run python: print(1 + 1)\`
- \`write 500 words about music\` · \`show me markdown\` · \`think about fugues\`
- \`fail with 529\`, \`fail once with 429\`, or with 400, 401, quota, overflow, cut, stall, garbage, html; \`fail with 529 in the stream\`

Add \`at 20 tokens per second\` to see an answer arrive slowly.`;

export const HELLO =
  'Hello! I am the simulator: a stand-in for a language model. Say `help` to see what I can do.';

export const SHOWCASE = `# Markdown, all of it

Plain text with **bold**, *italic*, ~~struck~~, \`inline code\` and a [link](https://example.com).

## Code

\`\`\`typescript
interface Player { readonly name: string; readonly part: 'strings' | 'brass' }
export const greet = (player: Player): string => \`Good evening, \${player.name}\`;
\`\`\`

\`\`\`python
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
\`\`\`

\`\`\`diff
- the old line
+ the new line
\`\`\`

## A table

| section | players | starts at bar |
|---|---:|:---:|
| strings | 24 | 1 |
| brass | 9 | 17 |

## Lists

1. First
2. Second
   - with a point
   - and another, *nested*
3. Third

- [x] done
- [ ] to do

> A quotation, on two lines,
> with \`code\` in it.

Umlauts äöü, 日本語, emoji 🎼🎻, and a rule:

---

The end.
`;
