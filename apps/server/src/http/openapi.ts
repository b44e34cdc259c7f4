import {
  ApiError,
  Card,
  Credential,
  Item,
  Message,
  Model,
  ProviderFacts,
  QueueEntry,
  type Route,
  routes,
  Session,
  ToolFacts,
  Totals,
  Turn,
  Usage,
} from '@maestro/protocol';
import { z } from 'zod';

type JsonSchema = Record<string, unknown>;
type Direction = 'input' | 'output';

const named = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({
  ApiError,
  Card,
  Credential,
  Item,
  Message,
  Model,
  ProviderFacts,
  QueueEntry,
  Session,
  ToolFacts,
  Totals,
  Turn,
  Usage,
}))
  named.add(schema, { id });

/** Recursive schemas get a name of their own; the only one is a JSON value. */
const nameOf = (key: string): string => (key.startsWith('__schema') ? 'Json' : key);

const NOISE = new Set<unknown>([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/** Points references at the components and leaves out what says nothing (the range of a safe integer). */
const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, part]) => key !== '$schema' && !NOISE.has(part))
      .map(([key, part]) =>
        key === '$ref' && typeof part === 'string'
          ? [key, `#/components/schemas/${nameOf(part.split('/').at(-1) ?? '')}`]
          : [key, tidy(part)],
      ),
  );
};

const isObject = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/** The schema of one place; its named parts go into `components`. Answers may grow new fields, so they stay open. */
const schemaOf = (schema: z.ZodType, io: Direction, components: Map<string, unknown>): JsonSchema => {
  const { $defs, ...rest } = z.toJSONSchema(schema, {
    metadata: named,
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  for (const [key, part] of Object.entries($defs ?? {})) components.set(nameOf(key), tidy(part));
  const tidied = tidy(rest);
  return isObject(tidied) ? tidied : {};
};

const bytes = { schema: { type: 'string', format: 'binary' } };

const parametersOf = (
  route: Route,
  place: 'path' | 'query',
  components: Map<string, unknown>,
): JsonSchema[] => {
  const schema = place === 'path' ? route.params : route.query;
  if (!schema) return [];
  const { properties, required } = schemaOf(schema, 'input', components);
  return Object.entries(isObject(properties) ? properties : {}).map(([name, part]) => ({
    name,
    in: place,
    required: place === 'path' || (Array.isArray(required) && required.includes(name)),
    schema: part,
  }));
};

const operationOf = (route: Route, components: Map<string, unknown>): JsonSchema => {
  const parameters = [
    ...parametersOf(route, 'path', components),
    ...parametersOf(route, 'query', components),
  ];
  const content =
    route.response === 'bytes'
      ? { 'application/octet-stream': bytes }
      : route.response === 'none'
        ? undefined
        : { 'application/json': { schema: schemaOf(route.response, 'output', components) } };
  const body =
    route.body === undefined
      ? undefined
      : {
          required: route.body === 'bytes' || !route.body.safeParse(undefined).success,
          content:
            route.body === 'bytes'
              ? { '*/*': bytes }
              : { 'application/json': { schema: schemaOf(route.body, 'input', components) } },
        };
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.open ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      [route.status]: { description: 'Done', ...(content ? { content } : {}) },
      default: {
        description: 'What failed, the field at fault and what to do',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/ApiError' } } },
      },
    },
  };
};

/** The order of a module's exports depends on its loader, so the document has its own. */
const orderOf = ({ path, method }: Route): string => `${path} ${method}`;

/** The route contract as OpenAPI 3.1. */
export const openApiDocument = (): JsonSchema => {
  const components = new Map<string, unknown>();
  const paths: Record<string, JsonSchema> = {};
  const sorted = Object.values<Route>(routes).toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  for (const route of sorted) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, components) };
  }
  schemaOf(z.object({ error: ApiError }), 'output', components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'The Maestro',
      version: 'v1',
      description: 'Sessions of AI agents on this machine. Live events come over the socket /api/v1/live.',
    },
    servers: [{ url: 'http://127.0.0.1:4747' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'maestro_4747' },
      },
    },
  };
};

/** The document as it is checked in at `docs/openapi.json`. */
export const openApiText = (): string => `${JSON.stringify(openApiDocument(), null, 2)}\n`;
