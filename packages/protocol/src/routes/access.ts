import { z } from 'zod';
import { route } from '../route.ts';

export const health = route({
  id: 'health',
  method: 'GET',
  path: '/health',
  summary: 'Is the server up? 503 while it starts or drains.',
  open: true,
  response: z.object({
    status: z.enum(['ok', 'starting', 'draining']),
    version: z.string(),
    database: z.enum(['ok', 'down']),
    uptime_s: z.number(),
  }),
  status: 200,
});

export const connect = route({
  id: 'connect',
  method: 'POST',
  path: '/api/v1/tui/connect',
  summary: 'Checks the bearer token and tells what the server is.',
  response: z.object({
    server: z.object({ version: z.string(), protocol: z.int() }),
    user: z.object({ name: z.string() }),
    features: z.array(z.string()),
  }),
  status: 200,
});

export const browserLaunch = route({
  id: 'browserLaunch',
  method: 'POST',
  path: '/api/v1/browser/launch',
  summary: 'Exchanges a one-time launch code for the browser cookie.',
  open: true,
  body: z.object({ code: z.string().min(1).max(200) }),
  response: z.object({ ok: z.literal(true) }),
  status: 200,
});

export const browserCode = route({
  id: 'browserCode',
  method: 'POST',
  path: '/api/v1/browser/code',
  summary: 'Makes a one-time launch code (60 s) for opening another browser. Bearer token only.',
  response: z.object({ url: z.string() }),
  status: 201,
});

export const browserLogout = route({
  id: 'browserLogout',
  method: 'POST',
  path: '/api/v1/browser/logout',
  summary: 'Ends this browser session and closes its sockets.',
  response: 'none',
  status: 204,
});
