import { fail, ok } from '@maestro/ports';
import type { ServerDeps } from '../deps.ts';
import { auditOf } from './audit-event.ts';
import type { Handlers } from './handler.ts';
import { openApiDocument } from './openapi.ts';

export const serverHandlers = ({
  stores,
  facts,
  stats,
}: ServerDeps): Pick<Handlers, 'serverFacts' | 'serverStats' | 'audit' | 'usage' | 'openapi'> => {
  let document: Record<string, unknown> | undefined;
  return {
    serverFacts: () => ok(facts()),
    serverStats: () => ok(stats()),
    audit: async ({ query }) => ok(await stores.audit.list(query)),
    usage: async ({ query }) => {
      const { by, from, to, time_zone } = query;
      if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
        return fail('invalid', 'query.to must be later than query.from.', { field: 'query.to' });
      try {
        return ok({ by, ...(await stores.usage.report(query)) });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return fail('invalid', `query.time_zone "${time_zone}" is not known to the database. Take UTC.`, {
          field: 'query.time_zone',
        });
      }
    },
    openapi: () => {
      document ??= openApiDocument();
      return ok(document);
    },
  };
};

export const toolHandlers = ({ tools, stores, hub }: ServerDeps): Pick<Handlers, 'tools' | 'patchTool'> => ({
  tools: async () => ok({ tools: await tools.list() }),
  patchTool: async ({ params: { name }, body }, context) => {
    const tool = await tools.setEnabled(name, body.is_enabled);
    if (!tool)
      return fail('not_found', `There is no tool "${name}". GET /api/v1/tools lists them.`, {
        field: 'params.name',
      });
    await stores.audit.write(
      auditOf(context, 'tool.switch', name, { after: { is_enabled: tool.is_enabled } }),
    );
    hub.publish([{ stream: 'server', kind: 'tool', data: await tools.list() }]);
    return ok({ tool });
  },
});
