import type { Model, ProviderId } from '@maestro/protocol';
import data from './models.json' with { type: 'json' };

/** The vendors the table knows. `openai_chat` reads the rows of `openai`. */
export type TableVendor = 'anthropic' | 'openai' | 'gemini';

const tables: Partial<Record<ProviderId, TableVendor>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  openai_chat: 'openai',
  gemini: 'gemini',
};

/** undefined: only the service itself knows its models. */
export const tableVendorOf = (provider: ProviderId): TableVendor | undefined => tables[provider];

/** USD per million tokens; null: not charged separately or not offered. `over` prices the whole request. */
export interface TablePrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number | null;
  readonly cacheWrite?: number | null;
  readonly cacheWrite1h?: number | null;
  readonly over?: Omit<TablePrice, 'over'> & { readonly promptTokensAbove: number };
}

export interface TableModel {
  readonly provider: TableVendor;
  readonly id: string;
  readonly name: string;
  readonly context: number;
  readonly maxInput?: number;
  readonly maxOutput: number;
  readonly reasoning: boolean;
  /** The vendor's own words for how much to think; for models with a thinking budget, names of presets. */
  readonly efforts: readonly string[];
  readonly tools: boolean;
  readonly input: readonly string[];
  readonly usdPerMTok: TablePrice;
}

export const tableTaken: string = data.about.taken;

const isVendor = (name: string): name is TableVendor =>
  name === 'anthropic' || name === 'openai' || name === 'gemini';

const rows: readonly TableModel[] = data.models.flatMap((row) =>
  isVendor(row.provider) ? [{ ...row, provider: row.provider }] : [],
);
const byName = new Map(rows.map((row) => [`${row.provider}/${row.id}`, row]));

export const knownModels = (vendor: TableVendor): readonly TableModel[] =>
  rows.filter((row) => row.provider === vendor);

/** The row of a model; a dated or `-latest` name finds the model it is a version of. */
export const findModel = (vendor: TableVendor, model: string): TableModel | undefined => {
  const id = model.replace(/^models\//, '');
  const undated = id.replace(/-(?:latest|\d{8}|\d{4}-\d{2}-\d{2}|00\d)$/, '');
  return byName.get(`${vendor}/${id}`) ?? byName.get(`${vendor}/${undated}`);
};

/** A row as clients see it, under the name that was asked for. */
export const modelOf = (row: TableModel, id: string = row.id): Model => ({
  id,
  name: row.name,
  context_tokens: row.maxInput ?? row.context,
  max_output_tokens: row.maxOutput,
  thinking: row.reasoning,
  tools: row.tools,
  images: row.input.includes('image'),
  input_usd_per_mtok: row.usdPerMTok.input,
  output_usd_per_mtok: row.usdPerMTok.output,
});

/** A model of which only the name is known. Tools and images are taken as there: the vendor says so if they are not. */
export const unknownModel = (id: string, thinking = false): Model => ({
  id,
  name: id,
  context_tokens: null,
  max_output_tokens: null,
  thinking,
  tools: true,
  images: true,
  input_usd_per_mtok: null,
  output_usd_per_mtok: null,
});

export const describeKnown = (vendor: TableVendor, model: string): Model => {
  const row = findModel(vendor, model);
  return row === undefined ? unknownModel(model) : modelOf(row, model);
};
