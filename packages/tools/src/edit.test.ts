import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPlainUser, call, testFolder } from '../test/harness.ts';
import { editTool } from './edit.ts';
import { replaceText } from './replace-text.ts';

const editing = async (content: string | Uint8Array, input: object) => {
  const folder = await testFolder();
  const path = join(folder, 'f.ts');
  await writeFile(path, content);
  const made = await call(editTool, { path: 'f.ts', ...input }, folder);
  return { ...made, bytes: await readFile(path), content: await readFile(path, 'utf8') };
};

describe('edit (A4)', () => {
  it('replaces the one place and shows the change', async () => {
    const { text, content, result } = await editing('a\nb\nc\n', { old_string: 'b', new_string: 'B\nB2' });
    expect(content).toBe('a\nB\nB2\nc\n');
    expect(text).toBe('Edited f.ts: replaced in 1 place, at line 2 (lines +2 −1).');
    expect(result.details).toMatchObject({
      added: 2,
      removed: 1,
      diff: expect.stringContaining('@@ -1,3 +1,4 @@\n a\n-b\n+B\n+B2\n c'),
    });
  });

  it('takes $ signs as they are', async () => {
    expect((await editing('price', { old_string: 'price', new_string: "$& $1 $' $$" })).content).toBe(
      "$& $1 $' $$",
    );
  });

  it('names the places when the text is not unique, and changes nothing', async () => {
    const { text, content, result } = await editing('x\ny\nx\n', { old_string: 'x', new_string: 'z' });
    expect(text).toContain('is in f.ts 2 times, at lines 1, 3; nothing was changed');
    expect(content).toBe('x\ny\nx\n');
    expect(result.is_error).toBe(true);
  });

  it('replaces every place when asked to', async () => {
    expect(
      (await editing('x\ny\nx\n', { old_string: 'x', new_string: 'z', replace_all: true })).content,
    ).toBe('z\ny\nz\n');
  });

  it('keeps CRLF and the byte order mark', async () => {
    const { content } = await editing('\ufeffa\r\nb\r\nc\r\n', { old_string: 'a\nb', new_string: 'a\nnew' });
    expect(content).toBe('\ufeffa\r\nnew\r\nc\r\n');
  });

  it('keeps UTF-16', async () => {
    const { bytes } = await editing(Buffer.from('\ufeffold €', 'utf16le'), {
      old_string: 'old',
      new_string: 'new',
    });
    expect(bytes).toEqual(Buffer.from('\ufeffnew €', 'utf16le'));
  });

  it('changes no other byte of a text that is not UTF-8', async () => {
    const { bytes } = await editing(Buffer.from('é old \xff', 'latin1'), {
      old_string: 'old',
      new_string: 'ü',
    });
    expect(bytes).toEqual(Buffer.from('é ü \xff', 'latin1'));
  });

  it('refuses a character the file cannot hold', async () => {
    const { text, bytes } = await editing(Buffer.from('é old', 'latin1'), {
      old_string: 'old',
      new_string: '€',
    });
    expect(text).toContain('cannot hold “€”; nothing was changed');
    expect(bytes).toEqual(Buffer.from('é old', 'latin1'));
  });

  it.each([
    [
      'indentation',
      'if (x) {\n\treturn 1;\n}\n',
      'if (x) {\n    return 1;\n}',
      'differs only in indentation',
    ],
    ['line ends', 'one\r\ntwo\nthree\n', 'one\ntwo', 'CRLF and LF are mixed'],
    ['trailing space', 'one  \ntwo\n', 'one\ntwo', 'white space at line ends'],
    ['quotes', 'say “hi”\n', 'say "hi"', 'typographic quotes'],
    ['line numbers', 'alpha\nbeta\n', '1\talpha\n2\tbeta', 'carries the line numbers'],
    ['escapes', 'alpha\nbeta\n', 'alpha\\nbeta', 'escaped once too often'],
    ['another line', 'one\ntwo\nthree\nfour\n', 'one\ntwo\n3\nfour', 'line 3 is "three", not "3"'],
    ['a like line', 'const total = sum(items);\n', 'const totals = sum(item);', 'nearest place is at line 1'],
    ['nothing', 'one\n', 'zzzzzzzzzz', 'Nothing like it is in the file'],
  ])('says why it was not found: %s', async (_, content, old_string, why) => {
    const made = await editing(content, { old_string, new_string: 'entirely new text' });
    expect(made.text).toContain('was not found in f.ts; nothing was changed.');
    expect(made.text).toContain(why);
    expect(made.content).toBe(content);
  });

  it('says when the edit is there already', async () => {
    const { text } = await editing('one\nconst answer = 42;\n', {
      old_string: 'const answer = 41;',
      new_string: 'const answer = 42;',
    });
    expect(text).toContain('already there, at line 2: this edit seems to be applied already');
  });

  it('refuses an edit that changes nothing', async () => {
    expect((await editing('a', { old_string: 'a', new_string: 'a' })).text).toContain('nothing to change');
  });

  it('refuses a binary file', async () => {
    expect(
      (await editing(Buffer.from([0x7f, 0x45, 0x4c, 0x46]), { old_string: 'E', new_string: 'F' })).text,
    ).toContain('an ELF program');
  });

  it('points to write_file for a missing file', async () => {
    const { text } = await call(
      editTool,
      { path: 'no.ts', old_string: 'a', new_string: 'b' },
      await testFolder(),
    );
    expect(text).toContain('no.ts does not exist');
    expect(text).toContain('use write_file');
  });

  it('keeps the mode and follows a symbolic link', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'real.sh'), 'old');
    await chmod(join(folder, 'real.sh'), 0o750);
    await symlink('real.sh', join(folder, 'link.sh'));
    await call(editTool, { path: 'link.sh', old_string: 'old', new_string: 'new' }, folder);
    expect(await readFile(join(folder, 'real.sh'), 'utf8')).toBe('new');
    expect((await stat(join(folder, 'real.sh'))).mode & 0o777).toBe(0o750);
  });

  it('does not replace a file that may not be written', async () => {
    const folder = await testFolder();
    await chmod(folder, 0o777);
    await writeFile(join(folder, 'f'), 'old');
    await chmod(join(folder, 'f'), 0o444);
    const { text } = await asPlainUser(() =>
      call(editTool, { path: 'f', old_string: 'old', new_string: 'new' }, folder),
    );
    expect(text).toContain('permission denied');
    expect(await readFile(join(folder, 'f'), 'utf8')).toBe('old');
  });
});

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ß', '\n', '$', '&'), maxLength: 40 });
const some = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 4 });

it('does what String.replaceAll does, for any text and edit (property)', () => {
  fc.assert(
    fc.property(text, some, text, (content, old, fresh) => {
      const result = replaceText(content, old, fresh, true);
      expect(result.type === 'replaced' ? result.text : content).toBe(content.replaceAll(old, () => fresh));
    }),
  );
});

it('does in a CRLF text what it does in the same text with LF (property)', () => {
  const crlf = (value: string) => value.replaceAll('\n', '\r\n');
  fc.assert(
    fc.property(text, some, text, fc.boolean(), (content, old, fresh, written) => {
      fc.pre(content.includes('\n'));
      const result = replaceText(crlf(content), written ? crlf(old) : old, fresh, true);
      expect(result.type === 'replaced' ? result.text : crlf(content)).toBe(
        crlf(content.replaceAll(old, () => fresh)),
      );
    }),
  );
});

it('edits for real what the pure rule says (property)', async () => {
  await fc.assert(
    fc.asyncProperty(text, some, text, async (content, old_string, new_string) => {
      fc.pre(content !== '' && old_string !== new_string);
      const made = await editing(content, { old_string, new_string, replace_all: true });
      expect(made.content).toBe(content.replaceAll(old_string, () => new_string));
    }),
    { numRuns: 30 },
  );
});
