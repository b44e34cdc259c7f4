import type { Item } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { jsonTranscript, textTranscript } from './transcript.ts';

const item = (kind: Item['kind'], status: Item['status'], data: object, more: object = {}): Item =>
  ({ id: `itm_${kind}`, kind, status, data, ...more }) as Item;

const capture = () => {
  const said = { out: '', err: '' };
  return {
    said,
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
  };
};

describe('text transcript', () => {
  it('prints each word once, as it comes', () => {
    const to = capture();
    const transcript = textTranscript(to);
    for (const text of ['Hel', 'Hello', 'Hello', 'Hello you']) {
      transcript.change(item('agent_message', 'streaming', { text }));
    }
    transcript.end();
    expect(to.said).toEqual({ out: 'Hello you\n', err: '' });
  });

  it('sets messages apart by an empty line and ends its last line once', () => {
    const to = capture();
    const transcript = textTranscript(to);
    transcript.change(item('agent_message', 'done', { text: 'one' }, { id: 'itm_1' }));
    transcript.change(item('agent_message', 'done', { text: 'two\n' }, { id: 'itm_2' }));
    transcript.change(item('agent_message', 'done', { text: 'three' }, { id: 'itm_3' }));
    transcript.end();
    transcript.end();
    expect(to.said.out).toBe('one\n\ntwo\n\nthree\n');
  });

  it('tells of a tool call when it starts and when it ends', () => {
    const to = capture();
    const transcript = textTranscript(to);
    const data = { name: 'read_file', call_id: 'c', input: { path: 'a' } };
    for (const status of ['streaming', 'pending', 'running', 'running', 'done', 'done'] as const) {
      transcript.change(item('tool_call', status, data, { title: 'Read a' }));
    }
    expect(to.said).toEqual({ out: '', err: '› Read a\n✓ Read a\n' });
  });

  it('says why a tool call failed, in one line', () => {
    const to = capture();
    const data = { name: 'read_file', call_id: 'c', input: { path: 'a' }, error: 'There is no\nfile a.' };
    textTranscript(to).change(item('tool_call', 'failed', data));
    expect(to.said.err).toBe('✗ read_file {"path":"a"}: There is no file a.\n');
  });

  it('keeps thoughts to itself', () => {
    const to = capture();
    textTranscript(to).change(item('thought', 'done', { text: 'hm' }));
    expect(to.said).toEqual({ out: '', err: '' });
  });

  it('tells a notice with its remedy', () => {
    const to = capture();
    const data = { code: 'turn_failed', level: 'error', text: 'No key.', remedy: 'Set one.' };
    textTranscript(to).change(item('notice', 'done', data));
    expect(to.said.err).toBe('No key. Set one.\n');
  });
});

describe('JSON transcript', () => {
  it('prints an item once, when it is finished', () => {
    const to = capture();
    const transcript = jsonTranscript(to);
    for (const status of ['streaming', 'done', 'done'] as const) {
      transcript.change(item('agent_message', status, { text: 'a\nb' }));
    }
    expect(to.said.out.split('\n')).toHaveLength(2);
    expect(JSON.parse(to.said.out)).toMatchObject({
      type: 'item',
      item: { status: 'done', data: { text: 'a\nb' } },
    });
  });
});
