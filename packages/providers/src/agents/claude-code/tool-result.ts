import type { ImagePart, TextPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { fields, list, text } from '../../vendors/shared/json.ts';

/** What a tool of its answered, for the history. */
export const contentOf = (content: Json | undefined): (TextPart | ImagePart)[] => {
  const whole = text(content);
  if (whole !== undefined) return whole === '' ? [] : [{ type: 'text', text: whole }];
  return list(content).flatMap((each): (TextPart | ImagePart)[] => {
    const of = fields(each);
    const words = text(of['text']);
    if (of['type'] === 'text' && words !== undefined) return [{ type: 'text', text: words }];
    if (of['type'] === 'tool_reference') return [{ type: 'text', text: `[tool ${text(of['tool_name'])}]` }];
    const source = fields(of['source']);
    const data = text(source['data']);
    const media_type = text(source['media_type']);
    if (of['type'] !== 'image' || data === undefined || media_type === undefined) return [];
    return [{ type: 'image', media_type, bytes: Buffer.from(data, 'base64') }];
  });
};

/** For people: the change of a file as a unified diff, from its structured result; undefined for other tools. */
export const detailsOf = (result: Json | undefined): { path: string; diff: string } | undefined => {
  const of = fields(result);
  const path = text(of['filePath']);
  if (path === undefined || !Array.isArray(of['structuredPatch'])) return undefined;
  const hunks = of['structuredPatch'].map((each) => {
    const hunk = fields(each);
    const lines = list(hunk['lines']).flatMap((line) => text(line) ?? []);
    return [
      `@@ -${hunk['oldStart']},${hunk['oldLines']} +${hunk['newStart']},${hunk['newLines']} @@`,
      ...lines,
    ];
  });
  const created = text(of['content']);
  if (hunks.length === 0 && of['type'] === 'create' && created !== undefined) {
    const lines = created.replace(/\n$/, '').split('\n');
    hunks.push([`@@ -0,0 +1,${lines.length} @@`, ...lines.map((line) => `+${line}`)]);
  }
  if (hunks.length === 0) return undefined;
  return { path, diff: [`--- ${path}`, `+++ ${path}`, ...hunks.flat(), ''].join('\n') };
};
