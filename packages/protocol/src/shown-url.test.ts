import { describe, expect, it } from 'vitest';
import { shownUrl, withoutLogin } from './shown-url.ts';

describe('an address that is shown (S3)', () => {
  it.each([
    ['http://me:hunter2@gpu:11434', 'http://gpu:11434'],
    ['http://hunter2@gpu:11434/', 'http://gpu:11434/'],
    ['https://:hunter2@gpu/v1', 'https://gpu/v1'],
    ['redis://:hunter2@cache:6379', 'redis://cache:6379'],
    ['postgres://me:hunter2@db/maestro?sslmode=require', 'postgres://db/maestro?sslmode=require'],
    ['https://gpu/v1?api_key=hunter2&version=2', 'https://gpu/v1?api_key=***&version=2'],
    ['https://gpu/v1?a=1&access_token=hunter2#x', 'https://gpu/v1?a=1&access_token=***#x'],
  ])('%s', (address, shown) => {
    expect(shownUrl(address)).toBe(shown);
  });

  it('is as it was given where it holds no secret, and where it is no address', () => {
    for (const address of ['http://127.0.0.1:11434', 'HTTPS://Gpu/v1/', 'https://x/v1?alt=sse', 'gpu', ''])
      expect(shownUrl(address)).toBe(address);
  });

  it('keeps its query where it is only freed of its login', () => {
    expect(withoutLogin('https://me:pw@gpu/v1?key=k')).toBe('https://gpu/v1?key=k');
  });
});
