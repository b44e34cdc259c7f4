import type { ScenarioInput } from '../scenario.ts';
import type { Fault } from './commands.ts';

/** What a proxy in front of a vendor answers when the vendor does not. */
export const html_error = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n',
};

const BEGINNING = { type: 'text', text: 'This answer begins well, but it will not reach its ' } as const;

export const faultScenario = (fault: Fault): ScenarioInput => {
  switch (fault.type) {
    case 'failure':
      return fault.in_stream
        ? { steps: [BEGINNING, { type: 'error', failure: fault.failure }] }
        : { failure: fault.failure };
    case 'html':
      return { http: html_error };
    case 'reset':
      return { reset: true };
    default:
      return { steps: [BEGINNING, { type: fault.type }] };
  }
};
