import { expect, test } from 'vitest';
import {
  lastLine,
  sessionStart,
} from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-failure.ts';
import { noSession } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-options.ts';

/** What ssh adds where its way to the host ends. */
const end = `${noSession}\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n`;
const refused = 'mux_client_request_session: session request failed: Session open refused by peer';

test.each([
  ['', { kind: 'begun' }],
  ['sh: 1: docker: not found\n', { kind: 'begun' }],
  [end, { kind: 'missed' }],
  [`Control socket connect(/s): Connection refused\r\n${end}`, { kind: 'missed' }],
  [
    `a banner\n${refused}\r\n${end}`,
    { kind: 'refused', words: 'session request failed: Session open refused by peer' },
  ],
  [
    `mux_client_request_session: read from master failed: Broken pipe\r\n${end}`,
    { kind: 'unknown', words: 'read from master failed: Broken pipe' },
  ],
])('what became of a session that said %j', (said, start) => {
  expect(sessionStart(said)).toEqual(start);
});

test('the last words of a login are not those about a session', () => {
  expect(lastLine('channel 4: open failed: administratively prohibited: open failed\r\n')).toBe('');
  expect(lastLine('Timeout, server x not responding.\r\nchannel 4: open failed: no\r\n\n')).toBe(
    'Timeout, server x not responding.',
  );
});
