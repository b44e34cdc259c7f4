import type { Model } from '@maestro/protocol';
import { describeKnown, knownModels, modelOf, unknownModel } from '../../models/table.ts';
import { own_choice } from './arguments.ts';

/** Its own names for the newest of each kind. */
const aliases: readonly (readonly [id: string, name: string])[] = [
  [own_choice, "Claude Code's own choice"],
  ['fable', 'Fable, the newest'],
  ['opus', 'Opus, the newest'],
  ['sonnet', 'Sonnet, the newest'],
  ['haiku', 'Haiku, the newest'],
];

const able = { thinking: true, tools: true, images: true };

export const modelsOf = (): Model[] => [
  ...aliases.map(([id, name]) => ({ ...unknownModel(id), ...able, name })),
  ...knownModels('anthropic').map((row) => modelOf(row)),
];

export const describeModel = (model: string): Model => {
  const alias = aliases.find(([id]) => id === model);
  return alias ? { ...unknownModel(model), ...able, name: alias[1] } : describeKnown('anthropic', model);
};
